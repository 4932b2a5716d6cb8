using System.CommandLine;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Replay;
using OpenGradient.Engine.Hosting.Trust;
using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og replay RECEIPT --input FILE</c>: executes the row again; exits 0 only on equal bits.</summary>
internal static class ReplayCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("receipt") { Description = "Receipt file: a bundle, a bare receipt, or a whole answer that carries one" };
        var input = new Option<string>("--input") { Description = "The request that was sent, or a list of objects with one under 'request'", Required = true };
        var item = new Option<int>("--item") { Description = "Which entry of a list, from 0" };
        var model = new Option<string>("--model") { Description = "The model's file, or a folder in which it is found by name and identity", DefaultValueFactory = _ => "models" };
        var output = new Option<string?>("--output") { Description = "The answer as it was saved: says which element differs" };
        var tolerance = new Option<double?>("--tolerance") { Description = "Where bits cannot be had here: the largest difference, relative above 1" };
        var trust = new Option<string?>("--trust") { Description = "Trust file: checks signature, evidence and proof as well, as og verify does" };
        var rpc = CommonOptions.Address("--rpc", "Node to check the anchor against, instead of the trust file's");
        var library = new Option<string?>("--library") { Description = "ONNX Runtime's library" };
        var json = new Option<bool>("--json") { Description = "Print the result as one JSON object" };
        var command = new Command("replay", "Execute a receipt's row again, and say whether it gives the committed bits") { file, input, item, model, output, tolerance, trust, rpc, library, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(tolerance) is { } limit && !(limit >= 0 && double.IsFinite(limit))) throw new FormatException($"--tolerance {limit} is not a number from 0 up");
            var (bundle, failure, answer) = ReplayFiles.Receipt(parsed.GetValue(file)!);
            var inputs = ReplayFiles.Inputs(parsed.GetValue(input)!, parsed.GetValue(item));
            if (parsed.GetValue(output) is { } saved) answer = ReplayFiles.Answer(saved).Outputs;
            var result = bundle is null
                ? new ReplayResult { Outcome = ReplayOutcome.ReceiptInvalid, Detail = "the file holds no receipt", Failures = [failure!] }
                : Replay(bundle, parsed.GetValue(model)!, inputs, answer, parsed.GetValue(tolerance), parsed.GetValue(library));
            var report = new ReplayReport(result, await Trust(bundle, parsed.GetValue(trust), parsed.GetValue(rpc), cancellation));
            Console.Write(parsed.GetValue(json) ? report.Json() + Environment.NewLine : report.Text());
            return report.ExitCode;
        });
        return command;
    }

    private static ReplayResult Replay(ReceiptBundle bundle, string model, IReadOnlyList<NamedTensor> inputs, KnownAnswer? answer, double? tolerance, string? library)
    {
        using var replayer = new BundleReplayer(library);
        return replayer.Replay(bundle, model, inputs, answer, tolerance);
    }

    private static async Task<IReadOnlyList<VerificationFailure>?> Trust(ReceiptBundle? bundle, string? trust, Uri? rpc, CancellationToken cancellation) =>
        trust is null || bundle is null ? null : await VerifyCommand.Check(bundle.Encode(), TrustFile.Read(trust), rpc, cancellation);
}
