using System.CommandLine;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.History;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Hosting.Trust;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og evidence inspect</c> and <c>og evidence verify</c>: evidence of a platform, judged by a policy at a time. Asks no network.</summary>
internal static class EvidenceCommand
{
    // Its own code, so that no script takes "could not be checked" for an answer.
    private const int Unverifiable = 3;

    public static Command Create() => new("evidence", "Look into and judge evidence of platforms and devices") { Inspect(), Verify() };

    private static Command Inspect()
    {
        var file = new Argument<string>("file") { Description = "Evidence as the platform gave it, or in the envelope that og attest and GET /v1/evidence write" };
        var kind = Kind();
        var command = new Command("inspect", "Say what a file looks like: kind, size and digest; judges nothing (see og evidence verify). 1: it looks like no evidence") { file, kind };
        command.SetAction(parsed =>
        {
            var evidence = EvidenceFiles.Read(parsed.GetValue(file)!, PlatformEvidence.LargestFile);
            return EvidenceReport.Inspect(Console.Out, evidence, ReadKind(parsed.GetValue(kind)) ?? PlatformEvidence.Guess(evidence)) ? ExitCodes.Ok : ExitCodes.Failed;
        });
        return command;
    }

    private static Command Verify()
    {
        var file = new Argument<string>("file") { Description = "Evidence as the platform gave it, or in the envelope that og attest and GET /v1/evidence write" };
        var policy = new Option<string>("--policy") { Description = "Policy file (docs/attestation.md); a kind that it does not name is refused", Required = true };
        var at = new Option<string>("--at") { Description = "Time to judge at: 2026-01-31T12:00:00Z, seconds since 1970, or now", Required = true };
        var nonce = new Option<string?>("--nonce") { Description = "The challenge that the evidence must answer, in hexadecimal" };
        var anyNonce = new Option<bool>("--any-nonce") { Description = "No challenge was asked: an old answer passes while the policy's maximum age lasts" };
        var reportData = new Option<string?>("--report-data") { Description = "What the guest must have bound, in hexadecimal" };
        var collateral = new Option<string?>("--collateral") { Description = "File or folder with the vendor's certificates, lists and identities, by name" };
        var history = new Option<string?>("--history") { Description = "File that remembers the newest collateral, so that none older passes" };
        var nonces = new Option<string?>("--nonces") { Description = "File that remembers used nonces, so that none passes twice" };
        var kind = Kind();
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var command = new Command("verify", "Judge evidence; prints every reason against it. 0: accepted, 1: refused, 2: could not be asked, 3: could not be checked")
        {
            file, policy, at, nonce, anyNonce, reportData, collateral, history, nonces, kind, json,
        };
        command.SetAction(parsed =>
        {
            var question = new EvidenceQuestion
            {
                Evidence = EvidenceFiles.Read(parsed.GetValue(file)!, PlatformEvidence.LargestFile), Kind = ReadKind(parsed.GetValue(kind)),
                Policy = ReadPolicy(parsed.GetValue(policy)!), At = CommonOptions.ReadTime(parsed.GetValue(at))!.Value,
                Nonce = ReadNonce(parsed.GetValue(nonce), parsed.GetValue(anyNonce)), ReportData = ReadHex("--report-data", parsed.GetValue(reportData)),
                Collateral = CollateralFolder.Read(parsed.GetValue(collateral)), HistoryFile = parsed.GetValue(history), NoncesFile = parsed.GetValue(nonces),
            };
            var result = question.Ask();
            EvidenceReport.Write(Console.Out, result, parsed.GetValue(json));
            return result.Status switch
            {
                AttestationStatus.Accepted => ExitCodes.Ok,
                AttestationStatus.Refused => ExitCodes.Failed,
                _ => Unverifiable,
            };
        });
        return command;
    }

    private static Option<string?> Kind() => new("--kind") { Description = "nitro, sev-snp, tdx, tpm or nvidia; guessed from the first bytes otherwise" };

    private static PlatformKind? ReadKind(string? text) =>
        text is null ? null : PlatformEvidence.Parse(text) ?? throw new FormatException($"--kind '{text}' is not one of nitro, sev-snp, tdx, tpm, nvidia");

    internal static EvidencePolicy ReadPolicy(string path)
    {
        try
        {
            return EvidencePolicy.Parse(EvidenceFiles.Read(path, EvidencePolicy.LargestFile));
        }
        catch (PolicyException error)
        {
            throw new FormatException($"{path}: {error.Message}");
        }
    }

    private static ReadOnlyMemory<byte>? ReadNonce(string? text, bool any)
    {
        if (text is null == !any) throw new FormatException("give --nonce HEX, or --any-nonce where no challenge was asked");
        return ReadHex("--nonce", text);
    }

    internal static ReadOnlyMemory<byte>? ReadHex(string option, string? text)
    {
        if (text is null) return null;
        try
        {
            return Convert.FromHexString(text);
        }
        catch (FormatException)
        {
            throw new FormatException($"{option} is not hexadecimal");
        }
    }
}

/// <summary>What <c>og evidence verify</c> was asked, and the files that remember.</summary>
internal sealed record EvidenceQuestion
{
    public required byte[] Evidence { get; init; }

    public PlatformKind? Kind { get; init; }

    public required EvidencePolicy Policy { get; init; }

    public required DateTimeOffset At { get; init; }

    public ReadOnlyMemory<byte>? Nonce { get; init; }

    public ReadOnlyMemory<byte>? ReportData { get; init; }

    public required IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Collateral { get; init; }

    public string? HistoryFile { get; init; }

    public string? NoncesFile { get; init; }

    public AttestationResult Ask()
    {
        var envelope = EvidenceFiles.Envelope(Evidence);
        var kind = envelope is not null ? default : Kind ?? PlatformEvidence.Guess(Evidence) ?? throw new FormatException("the evidence looks like no kind that is known: give --kind");
        var history = HistoryFile is null ? null : EvidenceFiles.ReadHistory(HistoryFile);
        var context = new VerificationContext { At = At, Policy = Policy, Nonce = Nonce, ReportData = ReportData, Collateral = Collateral, History = history };
        var result = envelope is not null ? BoundEvidence.Verify(envelope, context) : PlatformEvidence.Verify(kind, Evidence, context);
        // What was seen is kept before anybody acts on the answer.
        if (history is not null) EvidenceFiles.WriteHistory(HistoryFile!, history);
        return result.Status == AttestationStatus.Accepted ? UseNonce(result) : result;
    }

    // Only an accepted answer uses its nonce up: a forger cannot.
    private AttestationResult UseNonce(AttestationResult result)
    {
        if (NoncesFile is null || Nonce is not { } nonce) return result;
        var use = EvidenceFiles.UseNonce(NoncesFile, nonce, At);
        if (use == NonceUse.Fresh) return result;
        return result with { Status = AttestationStatus.Refused, Reasons = [new AttestationReason(AttestationCheck.Nonce, $"the nonce is not fresh by {NoncesFile}: {use}")] };
    }
}
