using System.Diagnostics;
using OpenGradient.Engine.LanguageModels.Kernels;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Tests.Kernels;

namespace OpenGradient.Engine.LanguageModels.Tests.Loading;

/// <summary><c>models/language/make.py</c> writes folders that load, whose activations stay finite and whose logits are spread.</summary>
public sealed class MakeScriptTests
{
    [ScriptTheory]
    [InlineData("--architecture llama --dtype bf16")]
    [InlineData("--architecture qwen2 --dtype f16 --shards 3")]
    [InlineData("--architecture qwen3 --dtype f32 --no-tied --layers 12 --head-dim 32")]
    public async Task Make_AnyFamily_GivesAModelThatRuns(string arguments)
    {
        var folder = Directory.CreateTempSubdirectory("og-language-model-");
        try
        {
            await RunAsync($"{arguments} --name made --scheme int8 --out {folder.FullName}");
            var parts = await LanguageModelFolder.OpenAsync(folder.FullName, new LanguageModelLoadOptions { CacheBytes = 8 << 20 }, default);
            using var runtime = parts.Runtime;
            Assert.Equal(("made", "int8", 512), (parts.Name, runtime.Info.Runtime.Precision, parts.Tokenizer.VocabularySize));
            Assert.Equal(["<|endoftext|>", "<|im_end|>"], parts.EndTokens.Select(parts.Tokenizer.TokenText).Order(StringComparer.Ordinal));
            var tokens = parts.Tokenizer.Encode("The receipt proves the answer. Ümläute, 中文 🙂", addSpecialTokens: false);
            Assert.Equal("The receipt proves the answer. Ümläute, 中文 🙂", parts.Tokenizer.Decode(tokens, skipSpecialTokens: false));
            Assert.True(tokens.Length < 45, $"{tokens.Length} tokens: its merges are used");

            var logits = new float[512];
            runtime.Step([new SequenceStep(tokens, 0, new[] { 0, 1, 2, 3 }, StepLogits.Last)], logits);
            var deviation = Math.Sqrt(logits.Average(logit => (double)logit * logit) - Math.Pow(logits.Average(), 2));
            Assert.InRange(deviation, 0.5, 10);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task RunAsync(string arguments)
    {
        var start = new ProcessStartInfo("python3", $"{Script} {arguments}") { RedirectStandardError = true, RedirectStandardOutput = true };
        using var python = Process.Start(start)!;
        var (errors, said) = (python.StandardError.ReadToEndAsync(), python.StandardOutput.ReadToEndAsync());
        await python.WaitForExitAsync();
        Assert.True(python.ExitCode == 0, await errors);
        Assert.Contains("random weights", await said, StringComparison.Ordinal);
    }

    private static string Script
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "OpenGradient.Engine.sln"))) folder = folder.Parent;
            return Path.Combine(folder?.FullName ?? "", "models", "language", "make.py");
        }
    }

    /// <summary>Needs the kernels and Python; skipped, with the reason shown, where either is missing.</summary>
    private sealed class ScriptTheoryAttribute : TheoryAttribute
    {
        public ScriptTheoryAttribute() => Skip = Kernel.Missing ?? (HasPython() ? null : "no python3 in PATH");

        private static bool HasPython() =>
            (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "python3")));
    }
}
