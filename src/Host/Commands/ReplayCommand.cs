using System.CommandLine;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Hosting.Replay;
using OpenGradient.Engine.Hosting.Trust;
using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og replay RECEIPT --input FILE</c>: executes the row again; exits 0 only on equal bits.</summary>
internal static class ReplayCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("receipt") { Description = "Receipt file: a bundle, a bare receipt, a whole answer that carries one, or what og chat --save wrote" };
        var input = new Option<string?>("--input") { Description = "The request that was sent, or a list of objects with one under 'request'; not for generated answers" };
        var item = new Option<int>("--item") { Description = "Which entry of a list, from 0" };
        var model = new Option<string>("--model") { Description = "The model's file, or a folder in which it is found by name and identity", DefaultValueFactory = _ => "models" };
        var output = new Option<string?>("--output") { Description = "The answer as it was saved: says which element differs" };
        var tolerance = new Option<double?>("--tolerance") { Description = "Where bits cannot be had here: the largest difference, relative above 1" };
        var trust = new Option<string?>("--trust") { Description = "Trust file: checks signature, evidence and proof as well, as og verify does" };
        var rpc = CommonOptions.Address("--rpc", "Node to check the anchor against, instead of the trust file's");
        var library = new Option<string?>("--library") { Description = "ONNX Runtime's library" };
        var torch = new Option<string?>("--torch-library") { Description = "libog_torch.so, for TorchScript models" };
        var generation = new Option<string?>("--generation") { Description = "What og chat --save wrote, where RECEIPT is the receipt of a generated answer" };
        var promptFile = new Option<string?>("--prompt-file") { Description = "The prompt of a generated answer as text, instead of the tokens that were saved" };
        var kernels = new Option<string?>("--kernels") { Description = "The library of language-model kernels" };
        var json = new Option<bool>("--json") { Description = "Print the result as one JSON object" };
        var command = new Command("replay", "Execute a receipt's row again, and say whether it gives the committed bits") { file, input, item, model, output, tolerance, trust, rpc, library, torch, generation, promptFile, kernels, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(tolerance) is { } limit && !(limit >= 0 && double.IsFinite(limit))) throw new FormatException($"--tolerance {limit} is not a number from 0 up");
            if (ReplayFiles.Generation(parsed.GetValue(file)!, parsed.GetValue(generation), parsed.GetValue(promptFile)) is { } held)
            {
                var verdict = await GenerationReplay.RunAsync(held.Generation, parsed.GetValue(model)!, (parsed.GetValue(kernels), parsed.GetValue(library)), TimeProvider.System, cancellation);
                var found = new GenerationReplayReport(verdict, await Trust(held.Bundle, parsed.GetValue(trust), parsed.GetValue(rpc), cancellation));
                Console.Write(parsed.GetValue(json) ? found.Json() + Environment.NewLine : found.Text());
                return found.ExitCode;
            }

            var (bundle, failure, answer) = ReplayFiles.Receipt(parsed.GetValue(file)!);
            var inputs = ReplayFiles.Inputs(parsed.GetValue(input) ?? throw new FormatException("--input is needed: the request that was sent (for a generated answer, --generation: what og chat --save wrote)"), parsed.GetValue(item));
            if (parsed.GetValue(output) is { } saved) answer = ReplayFiles.Answer(saved).Outputs;
            var result = bundle is null
                ? new ReplayResult { Outcome = ReplayOutcome.ReceiptInvalid, Detail = "the file holds no receipt", Failures = [failure!] }
                : Replay(bundle, parsed.GetValue(model)!, inputs, answer, parsed.GetValue(tolerance), (parsed.GetValue(library), parsed.GetValue(torch)));
            var report = new ReplayReport(result, await Trust(bundle, parsed.GetValue(trust), parsed.GetValue(rpc), cancellation));
            Console.Write(parsed.GetValue(json) ? report.Json() + Environment.NewLine : report.Text());
            return report.ExitCode;
        });
        return command;
    }

    private static ReplayResult Replay(ReceiptBundle bundle, string model, IReadOnlyList<NamedTensor> inputs, KnownAnswer? answer, double? tolerance, (string? OnnxRuntime, string? Torch) libraries)
    {
        using var replayer = new BundleReplayer(libraries.OnnxRuntime, new TorchConfiguration { Library = libraries.Torch });
        return replayer.Replay(bundle, model, inputs, answer, tolerance);
    }

    private static async Task<IReadOnlyList<VerificationFailure>?> Trust(ReceiptBundle? bundle, string? trust, Uri? rpc, CancellationToken cancellation) =>
        trust is null || bundle is null ? null : await VerifyCommand.Check(bundle.Encode(), TrustFile.Read(trust), rpc, cancellation);
}
