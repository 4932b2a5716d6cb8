namespace OpenGradient.Engine.Attestation.Verification.SevSnp;

/// <summary>Which key signed a report (AMD 56860, SIGNING_KEY).</summary>
internal enum SnpSigner
{
    /// <summary>The chip's own key at its firmware's version.</summary>
    Vcek = 0,

    /// <summary>A key that AMD lent to a cloud provider.</summary>
    Vlek = 1,
}

/// <summary>What the guest's owner fixed at launch (AMD 56860, GUEST_POLICY).</summary>
internal readonly record struct SnpGuestPolicy(ulong Bits)
{
    // Bits 26 and up are reserved. An unknown bit could allow the host more than this program knows.
    private const int FirstReserved = 26;

    public bool IsWellFormed => Bits >> FirstReserved == 0 && Has(17);

    public bool AllowsSmt => Has(16);

    public bool AllowsMigration => Has(18);

    public bool AllowsDebug => Has(19);

    private bool Has(int bit) => (Bits & (1UL << bit)) != 0;
}
