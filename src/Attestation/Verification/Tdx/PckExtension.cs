using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>What the PCK certificate says of its platform (Intel SGX PCK certificate and CRL profile, section 1.3.5).</summary>
/// <param name="Ppid">16 bytes: the processor.</param>
/// <param name="Components">16 security version numbers.</param>
/// <param name="PceSvn">The provisioning certification enclave's number.</param>
/// <param name="PceId">2 bytes.</param>
/// <param name="Fmspc">6 bytes: family, model, stepping, platform, custom SKU.</param>
/// <param name="Type">How memory is protected.</param>
internal sealed record PckExtension(
    ReadOnlyMemory<byte> Ppid, ReadOnlyMemory<byte> Components, int PceSvn, ReadOnlyMemory<byte> PceId, ReadOnlyMemory<byte> Fmspc, SgxType Type, PckConfiguration Configuration)
{
    public const string Oid = "1.2.840.113741.1.13.1";

    private const int ComponentCount = 16;

    /// <returns>Null, with the reason, where the certificate has no such extension or it is not as the profile says.</returns>
    public static PckExtension? Read(X509Certificate2 certificate, ReasonList reasons)
    {
        X509Extension[] found = [.. certificate.Extensions.Where(extension => extension.Oid?.Value == Oid)];
        if (found.Length != 1)
        {
            reasons.Refuse(AttestationCheck.Chain, $"the PCK certificate has {found.Length} platform extensions");
            return null;
        }

        try
        {
            return Parse(found[0].RawData);
        }
        catch (Exception error) when (error is AsnContentException or FormatException)
        {
            reasons.Refuse(AttestationCheck.Chain, "the PCK certificate's platform extension: " + error.Message);
            return null;
        }
    }

    private static PckExtension Parse(byte[] raw)
    {
        var fields = Fields(new AsnReader(raw, AsnEncodingRules.DER));
        var tcb = Fields(Part(fields, Oid + ".2"));
        var components = new byte[ComponentCount];
        for (var index = 0; index < ComponentCount; index++) components[index] = (byte)Number(tcb, $"{Oid}.2.{index + 1}", byte.MaxValue);
        return new PckExtension(
            Octets(fields, Oid + ".1", 16), components, Number(tcb, $"{Oid}.2.{ComponentCount + 1}", ushort.MaxValue),
            Octets(fields, Oid + ".3", 2), Octets(fields, Oid + ".4", 6), ReadType(fields), ReadConfiguration(fields));
    }

    // ENUMERATED.
    private static SgxType ReadType(Dictionary<string, ReadOnlyMemory<byte>> fields)
    {
        var value = Part(fields, Oid + ".5").ReadEnumeratedBytes();
        return value.Length == 1 && value.Span[0] <= (byte)SgxType.ScalableWithIntegrity ? (SgxType)value.Span[0] : throw new FormatException($"{Oid}.5 is out of range");
    }

    // Certificates of the platform authority alone have it, and each of its fields is optional.
    private static PckConfiguration ReadConfiguration(Dictionary<string, ReadOnlyMemory<byte>> fields)
    {
        if (!fields.ContainsKey(Oid + ".7")) return PckConfiguration.Unsaid;
        var flags = Fields(Part(fields, Oid + ".7"));
        return new PckConfiguration(Flag(1), Flag(2), Flag(3));

        bool? Flag(int index) => flags.ContainsKey($"{Oid}.7.{index}") ? Part(flags, $"{Oid}.7.{index}").ReadBoolean() : null;
    }

    // SEQUENCE OF SEQUENCE { object identifier, value }, each identifier once.
    private static Dictionary<string, ReadOnlyMemory<byte>> Fields(AsnReader outer)
    {
        var fields = new Dictionary<string, ReadOnlyMemory<byte>>();
        var list = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        while (list.HasData)
        {
            var pair = list.ReadSequence();
            var name = pair.ReadObjectIdentifier();
            if (!fields.TryAdd(name, pair.ReadEncodedValue())) throw new FormatException($"{name} stands twice");
            pair.ThrowIfNotEmpty();
        }

        return fields;
    }

    private static AsnReader Part(Dictionary<string, ReadOnlyMemory<byte>> fields, string name) =>
        fields.TryGetValue(name, out var value) ? new AsnReader(value, AsnEncodingRules.DER) : throw new FormatException($"{name} is missing");

    private static byte[] Octets(Dictionary<string, ReadOnlyMemory<byte>> fields, string name, int size)
    {
        var octets = Part(fields, name).ReadOctetString();
        return octets.Length == size ? octets : throw new FormatException($"{name} has {octets.Length} bytes, not {size}");
    }

    private static int Number(Dictionary<string, ReadOnlyMemory<byte>> fields, string name, int most)
    {
        BigInteger number = Part(fields, name).ReadInteger();
        return number >= 0 && number <= most ? (int)number : throw new FormatException($"{name} is out of range");
    }
}
