namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>
/// Extended features that a guest may have on (XFAM; Intel TDX module base specification, 11.8): what no module allows, and what it allows
/// only together. A module checks this when it makes the guest, so another value is of a module that is not the known one.
/// </summary>
internal static class TdxFeatures
{
    // x87 and SSE are always on. The others: AVX 2, AVX-512 5 to 7, processor trace 8, PKRU 9, CET 11 and 12, user interrupts 14, branch records 15, AMX 17 and 18.
    private const ulong Always = 0x3, Known = 0x6DBE7, Avx = 1UL << 2, Avx512 = 7UL << 5;

    private static readonly ulong[] Together = [Avx512, 3UL << 11, 3UL << 17];

    public static void Check(ulong features, ReasonList reasons)
    {
        if ((features & ~Known) != 0) reasons.Refuse(AttestationCheck.Reserved, $"unknown extended features 0x{features & ~Known:x}");
        if ((features & Always) != Always) reasons.Refuse(AttestationCheck.Reserved, "extended features without x87 and SSE, which every guest has");
        foreach (var group in Together)
        {
            if ((features & group) != 0 && (features & group) != group) reasons.Refuse(AttestationCheck.Reserved, $"extended features 0x{features & group:x} of 0x{group:x}, which go together");
        }

        if ((features & Avx512) != 0 && (features & Avx) == 0) reasons.Refuse(AttestationCheck.Reserved, "extended features: AVX-512 without AVX");
    }
}
