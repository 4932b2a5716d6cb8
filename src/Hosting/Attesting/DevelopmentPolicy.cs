using System.Buffers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Configuration;

namespace OpenGradient.Engine.Hosting.Attesting;

/// <summary>
/// For development: a policy that names the TPM that is here as it is now. Whatever runs on it is what is accepted, and its maker's root is
/// taken from the collateral that lies beside it. Nobody else's policy is made like that.
/// </summary>
internal static class DevelopmentPolicy
{
    private const string Issuers = "tpm-ek-issuers.pem";

    /// <exception cref="ConfigurationException">The TPM's evidence cannot be read.</exception>
    /// <exception cref="AttestationException">There is no TPM.</exception>
    public static byte[] OfTpm(AttestationShim shim, string? tpm, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> collateral, TimeProvider clock)
    {
        var epoch = MachineEvidence.Make(shim, EvidenceKind.Tpm, tpm, null, default, clock);
        var context = new VerificationContext { At = clock.GetUtcNow(), Policy = EvidencePolicy.Parse("{\"version\":1,\"tpm\":{}}"u8.ToArray()), Collateral = collateral };
        var result = BoundEvidence.Verify(Evidence.Decode(epoch.Evidence.Span), context);
        if (result.Claims is not { Chip: { } key } claims) throw new ConfigurationException([$"the TPM's evidence says nothing: {result.Reasons[0].Detail}"]);
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true })) Write(json, key, claims.Measurements, Root(collateral));
        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    private static void Write(Utf8JsonWriter json, string key, IReadOnlyDictionary<string, string> measurements, string? root)
    {
        json.WriteStartObject();
        json.WriteNumber("version", 1);
        json.WriteStartObject("tpm");
        WriteList(json, "keys", key);
        if (root is not null) WriteList(json, "roots", root);
        json.WriteBoolean("requireEndorsement", root is not null);
        // A TPM in software starts with nothing measured.
        json.WriteBoolean("allowEmptyRegisters", true);
        json.WriteStartObject("registers");
        foreach (var (name, value) in measurements.Where(entry => entry.Key.StartsWith("pcr", StringComparison.Ordinal)).OrderBy(entry => entry.Key, StringComparer.Ordinal))
            WriteList(json, name["pcr".Length..], value);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteList(Utf8JsonWriter json, string name, string only)
    {
        json.WriteStartArray(name);
        json.WriteStringValue(only);
        json.WriteEndArray();
    }

    // The last of the issuers is the one that vouches for itself.
    private static string? Root(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> collateral)
    {
        if (!collateral.TryGetValue(Issuers, out var pem)) return null;
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(Encoding.ASCII.GetString(pem.Span));
            return certificates.Count == 0 ? null : Convert.ToHexStringLower(SHA256.HashData(certificates[^1].RawData));
        }
        catch (CryptographicException malformed)
        {
            throw new ConfigurationException([$"{Issuers}: {malformed.Message}"]);
        }
        finally
        {
            foreach (var certificate in certificates) certificate.Dispose();
        }
    }
}
