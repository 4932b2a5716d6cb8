namespace OpenGradient.Engine.Attestation.Verification.SevSnp;

/// <summary>Processor lines with SEV-SNP. Bergamo and Siena are endorsed as Genoa.</summary>
public enum SnpProduct
{
    Milan,
    Genoa,
    Turin,
}

/// <summary>How certificates and reports name a product.</summary>
internal static class SnpProductName
{
    /// <summary>The product of a report's processor (AMD 56860, CPUID_FAM_ID and CPUID_MOD_ID); null: none of the known ones.</summary>
    public static SnpProduct? OfProcessor(byte family, byte model) => (family, model >> 4) switch
    {
        (0x19, 0x0) => SnpProduct.Milan,
        (0x19, 0x1 or 0xA) => SnpProduct.Genoa,
        (0x1A, 0x0 or 0x1) => SnpProduct.Turin,
        _ => null,
    };

    /// <summary>The product of a root by its common name: "ARK-Milan".</summary>
    public static SnpProduct? OfRoot(string? commonName) => commonName switch
    {
        "ARK-Milan" => SnpProduct.Milan,
        "ARK-Genoa" => SnpProduct.Genoa,
        "ARK-Turin" => SnpProduct.Turin,
        _ => null,
    };

    /// <summary>The product of a leaf by its extension, which may add a stepping: "Milan-B0". Genoa's root issues for Bergamo and Siena too (AMD 57230).</summary>
    public static SnpProduct? OfLeaf(string? extension) => extension?.Split('-')[0] switch { "Bergamo" or "Siena" => SnpProduct.Genoa, var name => Of(name) };

    public static SnpProduct? Of(string? name) => name switch
    {
        "Milan" => SnpProduct.Milan,
        "Genoa" => SnpProduct.Genoa,
        "Turin" => SnpProduct.Turin,
        _ => null,
    };
}
