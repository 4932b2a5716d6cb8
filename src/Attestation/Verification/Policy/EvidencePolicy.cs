using System.Text.Json;
using OpenGradient.Engine.Attestation.Verification.Nitro;
using OpenGradient.Engine.Attestation.Verification.Nvidia;
using OpenGradient.Engine.Attestation.Verification.Pki;
using OpenGradient.Engine.Attestation.Verification.SevSnp;
using OpenGradient.Engine.Attestation.Verification.Tdx;
using OpenGradient.Engine.Attestation.Verification.Tpm;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification.Policy;

/// <summary>What evidence is accepted. A kind without a section is not accepted.</summary>
public sealed record EvidencePolicy
{
    /// <summary>Larger files are refused unread.</summary>
    public const int LargestFile = 1024 * 1024;

    private const int Version = 1;
    private const int Deepest = 8;
    private const int DigestSize = 32;
    private const int LongestSerial = 40;

    /// <summary>SHA-256 of the policy file's bytes; stands in every result.</summary>
    public Hash256 Digest { get; init; }

    public NitroPolicy? Nitro { get; init; }

    public SevSnpPolicy? SevSnp { get; init; }

    public TdxPolicy? Tdx { get; init; }

    public TpmPolicy? Tpm { get; init; }

    public NvidiaPolicy? Nvidia { get; init; }

    /// <summary>
    /// From the block whose hash an epoch's evidence binds to the block that registered its key. An hour: a key is registered within
    /// minutes of its epoch's beginning, also where blocks are counted as final after a quarter of an hour.
    /// </summary>
    public TimeSpan MaximumBlockAge { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Certificates that no path may contain, whatever the kind.</summary>
    public DenyList Denied { get; init; } = DenyList.Empty;

    /// <summary>Reads a policy file: JSON in UTF-8, without comments, without a field twice, every field known.</summary>
    /// <exception cref="PolicyException">It is not such a file.</exception>
    public static EvidencePolicy Parse(ReadOnlyMemory<byte> file)
    {
        if (file.Length > LargestFile) throw new PolicyException("", $"is {file.Length} bytes; {LargestFile} are allowed");
        try
        {
            using var document = JsonDocument.Parse(file, new JsonDocumentOptions { MaxDepth = Deepest, AllowDuplicateProperties = false });
            return Read(new PolicyReader(document.RootElement, ""), Hash256.Sha256(file.Span));
        }
        catch (JsonException error)
        {
            // Only a field that stands twice has no place.
            throw new PolicyException("", error.LineNumber is { } line ? $"is not strict JSON: line {line + 1}, byte {error.BytePositionInLine + 1}" : "names a field twice");
        }
        catch (InvalidOperationException)
        {
            throw new PolicyException("", "holds a text that is not Unicode");
        }
    }

    private static EvidencePolicy Read(PolicyReader reader, in Hash256 digest)
    {
        if (!reader.Has("version")) throw new PolicyException("version", "is missing");
        reader.Number("version", Version, Version, Version);
        var policy = KindSections.Read(reader) with
        {
            Digest = digest, Denied = new DenyList([.. reader.Sections("deny").Select(ReadDenied)]), MaximumBlockAge = reader.Seconds("maximumBlockAgeSeconds", TimeSpan.FromHours(1)),
        };
        reader.End();
        return policy;
    }

    private static (string Issuer, string Serial) ReadDenied(PolicyReader entry)
    {
        var issuer = entry.Text("issuer");
        var serial = entry.Text("serial");
        if (issuer is null || !PolicyReader.IsHex(issuer, DigestSize)) throw entry.Error("issuer", "must be the SHA-256 of an issuer's name in lower-case hexadecimal");
        if (serial is null || !IsSerial(serial)) throw entry.Error("serial", "must be a serial number in lower-case hexadecimal bytes without leading zero bytes");
        entry.End();
        return (issuer, serial);
    }

    // An entry that is spelt otherwise would deny nothing.
    private static bool IsSerial(string text) =>
        text.Length is >= 2 and <= 2 * LongestSerial && PolicyReader.IsHex(text, text.Length / 2) && (text == "00" || !text.StartsWith("00", StringComparison.Ordinal));
}
