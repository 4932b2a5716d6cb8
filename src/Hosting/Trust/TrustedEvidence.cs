using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using OpenGradient.Engine.Attestation.Verification.Policy;

namespace OpenGradient.Engine.Hosting.Trust;

/// <summary>Which evidence a trust file accepts.</summary>
public sealed record TrustedEvidence
{
    public required IReadOnlyList<string> Accept { get; init; }
    public IReadOnlyList<string>? SoftwareRoots { get; init; }

    /// <summary>Accepted builds of the native shim, SHA-256.</summary>
    public IReadOnlyList<string>? Builds { get; init; }

    /// <summary>True accepts any build: for development.</summary>
    public bool AnyBuild { get; init; }

    /// <summary>The evidence policy (docs/attestation.md), needed for every kind but software: the name of a file beside this one, or the policy itself.</summary>
    public JsonElement? Policy { get; init; }

    /// <summary>A folder beside this file with vendors' certificates, lists and identities.</summary>
    public string? Collateral { get; init; }

    /// <summary>The policy's bytes; empty where none is named.</summary>
    [JsonIgnore]
    public ReadOnlyMemory<byte> PolicyBytes { get; init; }

    /// <summary>What the folder holds, by name.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>> CollateralFiles { get; init; } = new Dictionary<string, ReadOnlyMemory<byte>>();

    /// <summary>A policy in a file of this name.</summary>
    public static JsonElement PolicyNamed(string file)
    {
        using var text = JsonDocument.Parse($"\"{JsonEncodedText.Encode(file)}\"");
        return text.RootElement.Clone();
    }

    /// <summary>The same with what its names stand for.</summary>
    /// <param name="folder">What names are relative to.</param>
    /// <exception cref="FormatException">A file cannot be read, or is no policy.</exception>
    public TrustedEvidence Resolve(string folder) => this with
    {
        PolicyBytes = PolicyOf(folder),
        CollateralFiles = Collateral is null ? new Dictionary<string, ReadOnlyMemory<byte>>() : CollateralFolder.Read(Path.GetFullPath(Collateral, folder)),
    };

    private ReadOnlyMemory<byte> PolicyOf(string folder)
    {
        ReadOnlyMemory<byte> bytes = Policy switch
        {
            null or { ValueKind: JsonValueKind.Null } => default,
            { ValueKind: JsonValueKind.String } name => CollateralFolder.ReadFile(Path.GetFullPath(name.GetString()!, folder), EvidencePolicy.LargestFile),
            { ValueKind: JsonValueKind.Object } inline => Encoding.UTF8.GetBytes(inline.GetRawText()),
            _ => throw new FormatException("trust file: evidence.policy is neither the name of a file nor a policy"),
        };
        if (bytes.IsEmpty) return Policy is { ValueKind: JsonValueKind.String } ? throw new FormatException("trust file: evidence.policy names an empty file") : bytes;
        try
        {
            _ = EvidencePolicy.Parse(bytes);
            return bytes;
        }
        catch (PolicyException flawed)
        {
            throw new FormatException($"trust file: evidence.policy: {flawed.Message}");
        }
    }
}
