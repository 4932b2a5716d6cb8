using System.CommandLine;
using System.Text;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Replay;
using OpenGradient.Engine.Hosting.Trust;
using OpenGradient.Engine.Verification.Audit;
using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og fraud inspect FILE</c>: checks a fraud bundle; exits 0 only if the dispute stands as far as it was checked.</summary>
internal static class FraudCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("bundle") { Description = "Fraud bundle (.ogf)" };
        var model = new Option<string?>("--model") { Description = "The model's file, or a folder in which it is found: executes the row once more" };
        var trust = new Option<string?>("--trust") { Description = "Trust file: checks signature, evidence and proof of the receipt, and the block that decided the draw, as og verify does" };
        var rpc = CommonOptions.Address("--rpc", "Node to check anchor and block against, instead of the trust file's");
        var library = new Option<string?>("--library") { Description = "ONNX Runtime's library" };
        var json = new Option<bool>("--json") { Description = "Print the result as one JSON object" };
        var inspect = new Command("inspect", "Check a fraud bundle: by itself, and with --trust and --model all the way") { file, model, trust, rpc, library, json };
        inspect.SetAction(async (parsed, cancellation) =>
        {
            var bundle = Read(parsed.GetValue(file)!);
            var report = new FraudReport(bundle, FraudCheck.Contradictions(bundle))
            {
                Trust = parsed.GetValue(trust) is { } named ? await Check(bundle, TrustFile.Read(named), parsed.GetValue(rpc), cancellation) : null,
                Replay = parsed.GetValue(model) is { } path ? Replay(bundle, path, parsed.GetValue(library)) : null,
            };
            Console.Write(parsed.GetValue(json) ? report.Json() + Environment.NewLine : report.Text());
            return report.Stands ? ExitCodes.Ok : ExitCodes.Failed;
        });
        return new Command("fraud", "Look into fraud bundles, which audits write when a row gives other bits") { inspect };
    }

    private static FraudBundle Read(string path)
    {
        if (!File.Exists(path)) throw new FormatException($"fraud bundle '{path}' does not exist");
        if (new FileInfo(path).Length > FraudBundle.MaxSize) throw new FormatException($"fraud bundle '{path}' is larger than {FraudBundle.MaxSize} bytes");
        return FraudBundle.Decode(File.ReadAllBytes(path));
    }

    private static async Task<IReadOnlyList<VerificationFailure>> Check(FraudBundle bundle, TrustFile trust, Uri? rpc, CancellationToken cancellation)
    {
        var failures = await VerifyCommand.Check(bundle.Receipt.Encode(), trust, rpc, cancellation);
        return failures.Count > 0 ? failures : await BeaconChecker.Check(bundle, trust, rpc, cancellation);
    }

    private static ReplayResult Replay(FraudBundle bundle, string model, string? library)
    {
        using var replayer = new BundleReplayer(library);
        return replayer.Replay(bundle.Receipt, model, FraudCheck.InputOf(bundle), FraudCheck.AnswerOf(bundle));
    }
}
