using System.Text.Json;
using System.Text.Json.Serialization;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Hosting.Trust;

/// <summary>What a relying party trusts, as a file (docs/trust-file.md). What it does not name fails.</summary>
public sealed record TrustFile
{
    public required int Version { get; init; }

    /// <summary>For people. A development trust file says here that it is one.</summary>
    public string? Comment { get; init; }
    public required IReadOnlyList<string> Logs { get; init; }
    public required TrustedChain Chain { get; init; }
    public required TrustedEvidence Evidence { get; init; }

    /// <summary>Accepted model identities; absent accepts every model.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    /// <summary><c>executed</c>, <c>anchored</c> or <c>final</c>; absent is <c>final</c>.</summary>
    public string? RequireStage { get; init; }

    /// <summary>Verifier keys of witnesses whose cosignatures count.</summary>
    public IReadOnlyList<string>? Witnesses { get; init; }

    /// <summary>How many of them must have cosigned.</summary>
    public int? WitnessQuorum { get; init; }

    /// <exception cref="FormatException">The file is not a trust file; the message names the key.</exception>
    public static TrustFile Read(string path)
    {
        if (new FileInfo(path) is { Exists: true, Length: > 1 << 20 }) throw new FormatException($"trust file '{path}' is larger than 1 MiB");
        try
        {
            var trust = JsonSerializer.Deserialize(File.ReadAllBytes(path), TrustJson.Default.TrustFile) ?? throw new FormatException($"trust file '{path}' is empty");
            if (trust.Version != 1) throw new FormatException($"trust file '{path}' is of version {trust.Version}; this build reads version 1");
            trust = trust with { Evidence = trust.Evidence.Resolve(Path.GetDirectoryName(Path.GetFullPath(path))!) };
            _ = trust.ToPolicy();
            return trust;
        }
        catch (JsonException e)
        {
            throw new FormatException($"trust file '{path}', key '{e.Path}': {(e.Path is null or "$" ? e.Message : "missing, unknown or of the wrong type")}");
        }
        catch (IOException e)
        {
            throw new FormatException($"trust file '{path}' cannot be read: {e.Message}");
        }
    }

    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, TrustJson.Default.TrustFile);

    /// <exception cref="FormatException">A value is malformed.</exception>
    public TrustPolicy ToPolicy() => new()
    {
        Logs = Hashes(Logs, "logs"),
        ChainId = Chain.Id,
        Contract = EvmAddress.TryParse(Chain.Contract, out var contract) ? contract : throw new FormatException("trust file: chain.contract is not an address"),
        FinalityDepth = Chain.FinalityDepth,
        // An empty list would read as "none" and accept every model.
        Models = Models is { Count: 0 } ? throw new FormatException("trust file: models is empty; leave it out to accept every model") : Hashes(Models ?? [], "models"),
        Witnesses = WitnessKeys(),
        WitnessQuorum = Quorum(),
        RequiredStage = RequireStage switch
        {
            null or "final" => ReceiptStage.Final,
            "executed" => ReceiptStage.Executed,
            "anchored" => ReceiptStage.Anchored,
            _ => throw new FormatException($"trust file: requireStage '{RequireStage}' is neither executed, anchored nor final"),
        },
        Evidence = new EvidenceTrust(
            Evidence.Accept.Select(Kind).ToHashSet(),
            [.. (Evidence.SoftwareRoots ?? []).Select(root => (ReadOnlyMemory<byte>)Bytes(root, 33, "evidence.softwareRoots"))],
            Evidence.AnyBuild ? new HashSet<Hash256>() : Builds())
        {
            Policy = Evidence.PolicyBytes, Collateral = Evidence.CollateralFiles,
        },
    };

    private List<VerifierKey> WitnessKeys()
    {
        var keys = new List<VerifierKey>();
        foreach (var text in Witnesses ?? [])
        {
            VerifierKey key;
            try
            {
                key = VerifierKey.Parse(text);
            }
            catch (FormatException wrong)
            {
                throw new FormatException($"trust file: witnesses: {wrong.Message}");
            }

            if (key.Type != NoteKeyType.Cosignature) throw new FormatException($"trust file: witnesses: {key.Name} is not a witness's verifier key (type 4)");
            // One witness under two names would count twice.
            if (keys.Any(other => other.Name == key.Name || other.PublicKey.Span.SequenceEqual(key.PublicKey.Span))) throw new FormatException($"trust file: witnesses: {key.Name}, or its key, is listed twice");
            keys.Add(key);
        }

        return keys;
    }

    private int Quorum()
    {
        var count = Witnesses?.Count ?? 0;
        if (WitnessQuorum is not { } quorum) return count == 0 ? 0 : throw new FormatException("trust file: witnesses are named, but witnessQuorum does not say how many must have cosigned");
        return quorum >= 1 && quorum <= count ? quorum : throw new FormatException($"trust file: witnessQuorum {quorum} is not between 1 and the {count} witnesses named");
    }

    private HashSet<Hash256> Builds() => Evidence.Builds is { Count: > 0 } builds
        ? Hashes(builds, "evidence.builds")
        : throw new FormatException("trust file: evidence.builds names no build and evidence.anyBuild is not true");

    private static HashSet<Hash256> Hashes(IEnumerable<string> texts, string key) =>
        [.. texts.Select(text => Hash256.TryParse(text, out var hash) ? hash : throw new FormatException($"trust file: '{text}' in {key} is not 64 hexadecimal digits"))];

    private static EvidenceKind Kind(string name) => name switch
    {
        "software" => EvidenceKind.Software,
        "nitro" => EvidenceKind.Nitro,
        "sev-snp" => EvidenceKind.SevSnp,
        "tdx" => EvidenceKind.Tdx,
        "tpm" => EvidenceKind.Tpm,
        _ => throw new FormatException($"trust file: evidence kind '{name}' is unknown"),
    };

    private static byte[] Bytes(string hex, int length, string key)
    {
        var bytes = new byte[length];
        return Convert.FromHexString(hex, bytes, out _, out var written) == System.Buffers.OperationStatus.Done && written == length
            ? bytes
            : throw new FormatException($"trust file: '{hex}' in {key} is not {2 * length} hexadecimal digits");
    }
}

public sealed record TrustedChain
{
    public required ulong Id { get; init; }
    public required string Contract { get; init; }

    /// <summary>A node to ask; <c>--rpc</c> overrides it.</summary>
    public string? Rpc { get; init; }

    /// <summary>Blocks, the anchor's own included, that make it final; 0 uses the chain's finalized tag.</summary>
    public ulong FinalityDepth { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TrustFile))]
internal sealed partial class TrustJson : JsonSerializerContext;
