using System.CommandLine;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Trust;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Verification;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og verify RECEIPT --trust FILE</c>: exits 0 only if everything holds.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("receipt") { Description = "Receipt file: a bundle or a bare receipt" };
        var trust = new Option<string>("--trust") { Description = "Trust file (docs/trust-file.md); what it does not name fails", Required = true };
        var rpc = CommonOptions.Address("--rpc", "Node to check the anchor against, instead of the trust file's");
        var offline = new Option<bool>("--offline") { Description = "Check everything but the anchor's place on the chain; asks no node" };
        var at = CommonOptions.At("Time to judge a platform's evidence at; without it the chain's own: when the epoch's key was registered");
        var command = new Command("verify", "Check a receipt with its proof; prints every reason that fails, one per line") { file, trust, rpc, offline, at };
        command.SetAction(async (parsed, cancellation) =>
        {
            var trustFile = TrustFile.Read(parsed.GetValue(trust)!);
            var path = parsed.GetValue(file)!;
            if (!File.Exists(path)) throw new FormatException($"receipt file '{path}' does not exist");
            if (new FileInfo(path).Length > ReceiptBundle.MaxSize) throw new FormatException($"receipt file '{path}' is larger than {ReceiptBundle.MaxSize} bytes");
            var failures = await Check(await File.ReadAllBytesAsync(path, cancellation), trustFile, parsed.GetValue(rpc), cancellation, parsed.GetValue(offline), CommonOptions.ReadTime(parsed.GetValue(at)));
            foreach (var failure in failures) Console.WriteLine(failure);
            if (failures.Count > 0) return ExitCodes.Failed;
            var what = parsed.GetValue(offline) ? "everything holds offline; whether the anchor is on the chain was not asked" : "everything holds";
            Console.WriteLine(trustFile.Evidence.Accept.Contains("software") ? $"{what}, under software evidence: development only, NOT trusted" : what);
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>Every reason that fails: offline first, then against the chain where the policy needs it.</summary>
    /// <param name="at">When to judge a platform's evidence; null: by the chain's time, and now where no chain is asked.</param>
    internal static async Task<IReadOnlyList<VerificationFailure>> Check(byte[] file, TrustFile trustFile, Uri? rpc, CancellationToken cancellation, bool offline = false, DateTimeOffset? at = null)
    {
        var trust = trustFile.ToPolicy();
        var signatures = new NativeSignatures(AttestationShim.Load());
        var bundle = BundleVerifier.Read(file).Bundle;
        // A receipt that need not be anchored needs no node, but an anchor that is shown must hold.
        var asksChain = !offline && bundle is not null && (trust.RequiredStage >= ReceiptStage.Anchored || bundle.Anchor is not null);
        using var http = new HttpClient();
        RpcClient Node() => new(http, RpcOptions.AskedOnce(rpc ?? (trustFile.Chain.Rpc is { } url ? new Uri(url) : throw new FormatException("the trust file names no chain.rpc: give --rpc"))));
        var moments = asksChain && bundle is not null && IsBounded(bundle, trust) ? await BundleMoments.AskAsync(bundle, new EpochMoments(trust, Node()), cancellation) : new BundleMoments();
        var now = TimeProvider.System.GetUtcNow();
        List<VerificationFailure> failures =
        [
            .. new BundleVerifier(signatures, new EvidenceVerifier(signatures)).Verify(file, trust, null, evidence => at ?? moments.Of(evidence) ?? now),
            .. moments.Failures,
        ];

        // The chain is asked about the anchor only of bytes that hold by themselves.
        return failures.Count > 0 || !asksChain ? failures : await AnchorChecker.Check(bundle!, trust, Node(), cancellation);
    }

    // Software evidence has no time, and what no policy judges is not accepted anyway.
    private static bool IsBounded(ReceiptBundle bundle, TrustPolicy trust) =>
        !trust.Evidence.Policy.IsEmpty && new[] { bundle.Evidence, bundle.CheckpointEvidence }.Any(evidence => evidence is { Kind: not EvidenceKind.Software });
}
