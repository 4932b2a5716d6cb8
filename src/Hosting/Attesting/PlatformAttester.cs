using System.Collections.Concurrent;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Hosting.Trust;

namespace OpenGradient.Engine.Hosting.Attesting;

/// <summary>
/// The attester that a configuration names, and what this host accepts as evidence of its own epochs: the attester's kind by the operator's
/// policy, and software evidence by the folder's own development root where there is one. Safe for concurrent calls.
/// </summary>
public sealed class PlatformAttester : IDisposable
{
    // An epoch per start and per rotation; the page asks for the running one alone.
    private const int MostJudged = 1024;

    private readonly AttestationConfiguration _configuration;
    private readonly EvidenceVerifier _verifier;
    private readonly SoftwareRoot? _root;
    private readonly ConcurrentDictionary<Hash256, JudgedEpoch> _judged = new();

    private PlatformAttester(AttestationConfiguration configuration, EvidenceKind kind, EvidenceVerifier verifier, SoftwareRoot? root, EvidenceTrust trust) =>
        (_configuration, Kind, _verifier, _root, Trust) = (configuration, kind, verifier, root, trust);

    public EvidenceKind Kind { get; }

    /// <summary>What this host accepts of its own epochs, the predecessors in its folder included.</summary>
    public EvidenceTrust Trust { get; }

    /// <summary>Why the hardware is none, where the configuration names a TPM that is a program; otherwise null.</summary>
    public string? Mock => Kind == EvidenceKind.Tpm && _configuration.Tpm is { } name && TpmDevice.IsProgram(name) ? "mock hardware: a TPM in software, not trusted" : null;

    /// <summary>Reads policy and collateral; opens, or for the software attester creates, the folder's development root.</summary>
    /// <exception cref="ConfigurationException">The attester's files cannot be used.</exception>
    public static PlatformAttester Open(AttestationConfiguration configuration, AttestationShim shim, DataFolder folder)
    {
        var kind = AttestationConfigurationCheck.Kind(configuration.Attester) ?? throw new ConfigurationException([$"attestation.attester: '{configuration.Attester}' is none"]);
        var (policy, collateral) = kind == EvidenceKind.Software ? (default, new Dictionary<string, ReadOnlyMemory<byte>>()) : Files(configuration);
        var root = kind == EvidenceKind.Software || File.Exists(folder.SoftwareRoot) ? SoftwareRoot.Open(shim, folder.SoftwareRoot) : null;
        var kinds = root is null ? new HashSet<EvidenceKind> { kind } : new HashSet<EvidenceKind> { kind, EvidenceKind.Software };
        var trust = new EvidenceTrust(kinds, root is null ? [] : [root.PublicKey], new HashSet<Hash256>()) { Policy = policy, Collateral = collateral };
        return new PlatformAttester(configuration, kind, new EvidenceVerifier(new NativeSignatures(shim)), root, trust);
    }

    /// <summary>The same options with this attester as the one that vouches.</summary>
    public EpochOptions Vouch(EpochOptions options) => options with
    {
        Attester = Kind,
        SoftwareRoot = Kind == EvidenceKind.Software ? _root : null,
        Device = Kind == EvidenceKind.Tpm && _configuration.Tpm is { } named ? TpmDevice.Name(named) : "",
    };

    /// <summary>What this host's own policy says of an epoch's evidence: judged once, when it is first asked.</summary>
    public JudgedEpoch Judge(Epoch epoch, DateTimeOffset now)
    {
        if (_judged.TryGetValue(epoch.Id, out var known)) return known;
        var evidence = Evidence.Decode(epoch.Evidence.Span);
        var judged = new JudgedEpoch(evidence, _verifier.Judge(evidence, Trust, now), now);
        if (_judged.Count >= MostJudged) _judged.Clear();
        return _judged.GetOrAdd(epoch.Id, judged);
    }

    /// <summary>The same, for an epoch that is about to answer: whatever it sealed would be quarantined unless its evidence is accepted.</summary>
    /// <exception cref="ConfigurationException">It is not; the message has every reason.</exception>
    public JudgedEpoch Require(Epoch epoch, DateTimeOffset now)
    {
        var judged = Judge(epoch, now);
        if (judged.Found.Status == AttestationStatus.Accepted) return judged;
        throw new ConfigurationException([.. judged.Found.Failures.Select(failure =>
            $"attestation: this host's own policy does not accept the evidence of its {_configuration.Attester} attester ({AttestationJson.Text(judged.Found.Status)}): {failure.Detail}")]);
    }

    public void Dispose() => _root?.Dispose();

    private static (ReadOnlyMemory<byte> Policy, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Collateral) Files(AttestationConfiguration configuration)
    {
        try
        {
            var policy = CollateralFolder.ReadFile(configuration.Policy!, EvidencePolicy.LargestFile);
            _ = EvidencePolicy.Parse(policy);
            return (policy, CollateralFolder.Read(configuration.Collateral));
        }
        catch (FormatException unreadable)
        {
            throw new ConfigurationException([$"attestation.policy, attestation.collateral: {unreadable.Message}"]);
        }
        catch (PolicyException flawed)
        {
            throw new ConfigurationException([$"attestation.policy '{configuration.Policy}': {flawed.Message}"]);
        }
    }
}

/// <summary>An epoch's evidence, and what was found of it when.</summary>
public sealed record JudgedEpoch(Evidence Evidence, EvidenceJudgement Found, DateTimeOffset At);
