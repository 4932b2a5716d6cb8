namespace OpenGradient.Engine.Attestation.Verification.SevSnp;

/// <summary>Security versions of a platform's firmware, as one TCB_VERSION of a report holds them.</summary>
/// <param name="Fmc">Turin only; 0 elsewhere.</param>
public readonly record struct SnpTcb(byte Fmc, byte BootLoader, byte Tee, byte Snp, byte Microcode)
{
    /// <summary>Bytes of a TCB_VERSION.</summary>
    internal const int Size = 8;

    /// <summary>True when every component is at least the other's.</summary>
    public bool IsAtLeast(SnpTcb least) => Fmc >= least.Fmc && BootLoader >= least.BootLoader && Tee >= least.Tee && Snp >= least.Snp && Microcode >= least.Microcode;

    /// <summary>Reads 8 bytes; their layout depends on the product.</summary>
    internal static SnpTcb Read(SnpProduct product, ReadOnlySpan<byte> bytes) => product == SnpProduct.Turin
        ? new SnpTcb(bytes[0], bytes[1], bytes[2], bytes[3], bytes[7])
        : new SnpTcb(0, bytes[0], bytes[1], bytes[6], bytes[7]);

    /// <summary>True when the bytes that hold no component are zero.</summary>
    internal static bool HasCleanReserve(SnpProduct product, ReadOnlySpan<byte> bytes) =>
        !(product == SnpProduct.Turin ? bytes[4..7] : bytes[2..6]).ContainsAnyExcept((byte)0);

    public override string ToString() => $"fmc {Fmc}, boot loader {BootLoader}, tee {Tee}, snp {Snp}, microcode {Microcode}";
}
