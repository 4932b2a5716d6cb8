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
        var command = new Command("verify", "Check a receipt with its proof; prints every reason that fails, one per line") { file, trust, rpc, offline };
        command.SetAction(async (parsed, cancellation) =>
        {
            var trustFile = TrustFile.Read(parsed.GetValue(trust)!);
            var path = parsed.GetValue(file)!;
            if (!File.Exists(path)) throw new FormatException($"receipt file '{path}' does not exist");
            if (new FileInfo(path).Length > ReceiptBundle.MaxSize) throw new FormatException($"receipt file '{path}' is larger than {ReceiptBundle.MaxSize} bytes");
            var failures = await Check(await File.ReadAllBytesAsync(path, cancellation), trustFile, parsed.GetValue(rpc), cancellation, parsed.GetValue(offline));
            foreach (var failure in failures) Console.WriteLine(failure);
            if (failures.Count > 0) return ExitCodes.Failed;
            var what = parsed.GetValue(offline) ? "everything holds offline; whether the anchor is on the chain was not asked" : "everything holds";
            Console.WriteLine(trustFile.Evidence.Accept.Contains("software") ? $"{what}, under software evidence: development only, NOT trusted" : what);
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>Every reason that fails: offline first, then against the chain where the policy needs it.</summary>
    internal static async Task<IReadOnlyList<VerificationFailure>> Check(byte[] file, TrustFile trustFile, Uri? rpc, CancellationToken cancellation, bool offline = false)
    {
        var trust = trustFile.ToPolicy();
        var signatures = new NativeSignatures(AttestationShim.Load());
        var failures = new BundleVerifier(signatures, new EvidenceVerifier(signatures)).Verify(file, trust);

        // The chain is asked only about bytes that hold by themselves. A receipt that need not be anchored needs no node, but an anchor that is shown must hold.
        if (failures.Count > 0 || offline) return failures;
        var bundle = BundleVerifier.Read(file).Bundle!;
        if (trust.RequiredStage < ReceiptStage.Anchored && bundle.Anchor is null) return failures;
        var endpoint = rpc ?? (trustFile.Chain.Rpc is { } url ? new Uri(url) : throw new FormatException("the trust file names no chain.rpc: give --rpc"));
        using var http = new HttpClient();
        return await AnchorChecker.Check(bundle, trust, new RpcClient(http, new RpcOptions { Endpoint = endpoint }), cancellation);
    }
}
