using System.Runtime.InteropServices;
using OpenGradient.Engine.LanguageModels.Kernels;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;
using Xunit.Abstractions;

namespace OpenGradient.Engine.LanguageModels.Tests.Kernels;

/// <summary>The kernels against a plain forward pass in double precision, over folders of all families, schemes and element types.</summary>
public sealed class KernelRuntimeTests(ITestOutputHelper output)
{
    private const int Tokens = 40;

    /// <summary>
    /// The error's root mean square as a share of the logits' own, over 40 positions. bf16 keeps 8 bits of weights and inputs;
    /// int8 has 8 bits against the largest of 32; int4 has 16 steps over the range of 32 random weights, of which a model that
    /// was never trained takes the full error.
    /// </summary>
    private static double Tolerance(WeightScheme scheme) => scheme switch { WeightScheme.Bf16 => 0.01, WeightScheme.Int8 => 0.03, _ => 0.35 };

    public static TheoryData<string, WeightScheme> Models
    {
        get
        {
            var all = new TheoryData<string, WeightScheme>();
            foreach (var architecture in (string[])["llama", "qwen2", "qwen3"])
                foreach (var scheme in Enum.GetValues<WeightScheme>()) all.Add(architecture, scheme);
            return all;
        }
    }

    [KernelTheory, MemberData(nameof(Models))]
    public void Step_AnyModel_IsTheReferencesWithinTheSchemesTolerance(string architecture, WeightScheme scheme)
    {
        using var folder = TinyFolder.Create(new TinyShape { Architecture = architecture });
        using var runtime = Open(folder, scheme);
        var error = Compare(runtime, new ReferenceForward(folder.Weights));
        output.WriteLine($"{architecture} {scheme}: error {error:G3} of the logits");
        Assert.InRange(error, 1e-6, Tolerance(scheme));
    }

    [KernelTheory]
    [InlineData("F32", true, 4, 4)]
    [InlineData("F16", false, 4, 1)]
    [InlineData("BF16", false, 6, 3)]
    public void Step_AnyElementTypeAndShape_IsTheReferences(string type, bool tied, int heads, int kvHeads)
    {
        using var folder = TinyFolder.Create(new TinyShape { Type = type, TiedEmbeddings = tied, Heads = heads, KvHeads = kvHeads, HeadDim = 32, Vocabulary = 301, Shards = 2 });
        using var runtime = Open(folder, WeightScheme.Bf16);
        Assert.InRange(Compare(runtime, new ReferenceForward(folder.Weights)), 1e-6, Tolerance(WeightScheme.Bf16));
    }

    [KernelTheory, InlineData("llama"), InlineData("qwen2"), InlineData("qwen3")]
    public void Step_WithAttentionBias_IsTheReferences(string architecture)
    {
        using var folder = TinyFolder.Create(new TinyShape { Architecture = architecture, AttentionBias = true });
        using var runtime = Open(folder, WeightScheme.Bf16);
        Assert.InRange(Compare(runtime, new ReferenceForward(folder.Weights)), 1e-6, Tolerance(WeightScheme.Bf16));
    }

    [KernelTheory]
    [InlineData("""{"rope_type": "linear", "factor": 4.0}""")]
    [InlineData("""{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}""")]
    public void Step_ScaledRope_IsTheReferences(string scaling)
    {
        using var folder = TinyFolder.Create(new TinyShape { RopeScaling = scaling, RopeTheta = 500 });
        using var runtime = Open(folder, WeightScheme.Bf16);
        var linear = scaling.Contains("linear", StringComparison.Ordinal);
        Assert.InRange(Compare(runtime, new ReferenceForward(folder.Weights, i => linear ? Plain(i) / 4 : Llama3(Plain(i)))), 1e-6, Tolerance(WeightScheme.Bf16));
        // The scaling is seen at all: without it the reference is another model.
        Assert.True(Compare(runtime, new ReferenceForward(folder.Weights)) > 2 * Tolerance(WeightScheme.Bf16));

        double Plain(int i) => Math.Pow(500, -2.0 * i / folder.Shape.HeadDim);

        static double Llama3(double frequency)
        {
            var wavelength = 2 * Math.PI / frequency;
            if (wavelength < 64 / 4.0) return frequency;
            if (wavelength > 64 / 1.0) return frequency / 8;
            var smooth = (64 / wavelength - 1.0) / (4.0 - 1.0);
            return (1 - smooth) * frequency / 8 + smooth * frequency;
        }
    }

    [KernelFact]
    public void Embed_Tokens_IsTheReferencesHiddenState()
    {
        using var folder = TinyFolder.Create();
        using var runtime = Open(folder, WeightScheme.Bf16);
        var tokens = Prompt();
        var hidden = new float[runtime.Info.HiddenSize];
        runtime.Embed(new SequenceStep(tokens, 0, Pages(runtime), StepLogits.None), hidden);
        var reference = new ReferenceForward(folder.Weights);
        var expected = tokens.Select(reference.Hidden).ToArray()[^1];
        Assert.InRange(Share([expected], [hidden]), 1e-6, Tolerance(WeightScheme.Bf16));
    }

    [KernelTheory, InlineData(WeightScheme.Bf16), InlineData(WeightScheme.Int8), InlineData(WeightScheme.Int4)]
    public void Step_AnyNumberOfThreads_GivesTheSameBits(WeightScheme scheme)
    {
        using var folder = TinyFolder.Create();
        var rows = new List<float[]>();
        foreach (var threads in (int[])[1, 2, 3, 7])
        {
            using var runtime = KernelRuntime.Open(folder.Path, new LanguageModelLoadOptions { Scheme = scheme, Threads = threads }, default);
            rows.Add(Logits(runtime));
        }

        Assert.All(rows, row => Assert.True(MemoryMarshal.AsBytes(rows[0].AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(row.AsSpan()))));
    }

    /// <summary>Instruction sets that claim one class of numerics give one answer.</summary>
    [KernelTheory, InlineData(WeightScheme.Bf16), InlineData(WeightScheme.Int8), InlineData(WeightScheme.Int4)]
    public void Step_InstructionSetsOfOneClass_GiveTheSameBits(WeightScheme scheme)
    {
        using var folder = TinyFolder.Create();
        var seen = new Dictionary<string, float[]>();
        foreach (var set in (string[])["scalar", "avx2", "avx512", "amx"])
        {
            KernelRuntime runtime;
            try
            {
                runtime = KernelRuntime.Open(folder.Path, new LanguageModelLoadOptions { Scheme = scheme, InstructionSet = set }, default);
            }
            catch (LanguageModelLoadException error)
            {
                Assert.Contains("unavailable", error.Message, StringComparison.Ordinal);
                continue;
            }

            using (runtime)
            {
                var logits = Logits(runtime);
                var numerics = KernelRuntime.NumericsClassOf(runtime.Info.Runtime.Device);
                if (seen.TryAdd(numerics, logits)) continue;
                Assert.True(MemoryMarshal.AsBytes(seen[numerics].AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(logits.AsSpan())), $"{set} differs within {numerics}");
            }
        }

        Assert.NotEmpty(seen);
    }

    [KernelFact]
    public void Info_OfALoadedModel_SaysWhatServes()
    {
        using var folder = TinyFolder.Create(new TinyShape { Architecture = "qwen3" });
        using var runtime = KernelRuntime.Open(folder.Path, new LanguageModelLoadOptions { Scheme = WeightScheme.Int8, CacheBytes = 1 << 20, ContextLength = 100, MaxSequences = 5 }, default);
        var info = runtime.Info;
        Assert.Equal(("qwen3", 288, 64, 100, 5), (info.Architecture, info.VocabularySize, info.HiddenSize, info.ContextLength, info.MaxSequences));
        Assert.Equal(("og-kernels", "cpu", "int8", ""), (info.Runtime.Backend, info.Runtime.Provider, info.Runtime.Precision, info.Runtime.Options));
        Assert.Equal(KernelLibrary.Load().Digest, info.Runtime.LibraryDigest);
        Assert.Contains(KernelLibrary.Load().BestInstructionSet, info.Runtime.Device, StringComparison.Ordinal);
        Assert.Equal((1 << 20) / info.PageBytes, info.Pages);
        Assert.True(info.PrefillEqualsDecode && info.Prefill == PrefillRule.Anywhere);
        Assert.Equal(runtime.Identity.Value, info.Identity);
    }

    [KernelFact]
    public void Identity_OfALoadedModel_IsOfItsBytesAndNotOfItsShards()
    {
        using var one = TinyFolder.Create();
        using var sharded = TinyFolder.Create(new TinyShape { Shards = 3 });
        using var other = TinyFolder.Create(seed: 2);
        using var runtime = Open(one, WeightScheme.Bf16);
        Assert.Equal(runtime.Info.Identity, Identity(sharded, WeightScheme.Bf16));
        Assert.NotEqual(runtime.Info.Identity, Identity(other, WeightScheme.Bf16));
        Assert.NotEqual(runtime.Info.Identity, Identity(one, WeightScheme.Int8));
        var opened = runtime.Identity.Open("model.layers.1.mlp.up_proj.weight");
        Assert.True(opened.LeadsTo(runtime.Info.Identity));
        Assert.True(opened.Tensor.IsOf(new MemoryStream(one.Weights.Bytes(opened.Tensor.Name))));
        one.Write("chat_template.jinja", "another template");
        Assert.NotEqual(runtime.Info.Identity, Identity(one, WeightScheme.Bf16));
    }

    [KernelTheory]
    [InlineData("cache", "less than one page")]
    [InlineData("context", "contextLength is 257, not between 1 and the model's 256")]
    [InlineData("threads", "threads is 0, not between 1 and 256")]
    [InlineData("sequences", "maxSequences is 0")]
    [InlineData("set", "instructionSet is 'mmx', none of scalar, avx2, avx512 and amx")]
    [InlineData("memory", "bytes of memory")]
    public void Open_OptionOutsideItsRange_IsNamed(string which, string problem)
    {
        using var folder = TinyFolder.Create();
        var options = new LanguageModelLoadOptions();
        options = which switch
        {
            "cache" => options with { CacheBytes = 1 },
            "context" => options with { ContextLength = 257 },
            "threads" => options with { Threads = 0 },
            "sequences" => options with { MaxSequences = 0 },
            "memory" => options with { CacheBytes = 1L << 41 },
            _ => options with { InstructionSet = "mmx" },
        };
        var error = Assert.Throws<LanguageModelLoadException>(() => KernelRuntime.Open(folder.Path, options, default));
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    /// <summary>A tensor of several chunks, which several threads read and hash side by side.</summary>
    [KernelFact]
    public void Identity_OfALargeTensor_DoesNotDependOnThreads()
    {
        using var folder = TinyFolder.Create(Large);
        var identities = new List<Formats.Hash256>();
        foreach (var threads in (int[])[1, 2, 5])
        {
            using var runtime = KernelRuntime.Open(folder.Path, new LanguageModelLoadOptions { Threads = threads, CacheBytes = 8 << 20 }, default);
            identities.Add(runtime.Info.Identity);
            var opened = runtime.Identity.Open("model.embed_tokens.weight");
            Assert.True(opened.Tensor.Length > Formats.ModelIdentity.ChunkSize && opened.LeadsTo(runtime.Info.Identity));
            Assert.True(opened.Tensor.IsOf(new MemoryStream(folder.Weights.Bytes(opened.Tensor.Name))));
        }

        Assert.Single(identities.Distinct());
    }

    [KernelFact]
    public void Open_FileShortenedWhileItLoads_FailsByItsName()
    {
        using var folder = TinyFolder.Create(Large with { TiedEmbeddings = false, Layers = 1 });
        var reports = new Reports(progress =>
        {
            using var file = File.OpenWrite(folder.File("model.safetensors"));
            file.SetLength(file.Length - 1);
        });
        var options = new LanguageModelLoadOptions { Threads = 3, CacheBytes = 8 << 20, Progress = reports };
        var error = Assert.Throws<LanguageModelLoadException>(() => KernelRuntime.Open(folder.Path, options, default));
        Assert.StartsWith("model.safetensors shrank while it was read", error.Message, StringComparison.Ordinal);
    }

    [KernelFact]
    public void Open_Cancelled_FreesAndSaysSo()
    {
        using var folder = TinyFolder.Create();
        using var cancelled = new CancellationTokenSource();
        var reports = new Reports(progress =>
        {
            if (progress.Bytes > progress.TotalBytes / 2) cancelled.Cancel();
        });
        Assert.ThrowsAny<OperationCanceledException>(() => KernelRuntime.Open(folder.Path, new LanguageModelLoadOptions { Progress = reports }, cancelled.Token));
        Assert.True(reports.Seen[^1].Bytes < reports.Seen[^1].TotalBytes);
        // The file is closed again: it can be had for writing alone.
        using var whole = new FileStream(folder.File("model.safetensors"), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
    }

    [KernelFact]
    public void Open_WithProgress_ReportsEveryByteInOrder()
    {
        using var folder = TinyFolder.Create();
        var reports = new Reports(_ => { });
        using var runtime = KernelRuntime.Open(folder.Path, new LanguageModelLoadOptions { Progress = reports }, default);
        var bytes = folder.Shape.Tensors().Sum(tensor => (long)folder.Weights.Bytes(tensor.Name).Length);
        Assert.Equal(new LoadProgress(bytes, bytes), reports.Seen[^1]);
        Assert.Equal(reports.Seen.OrderBy(report => report.Bytes), reports.Seen);
    }

    /// <summary>Kernels flush denormals on the threads that run them; the caller's thread goes back as it came.</summary>
    [KernelFact]
    public void Step_OnTheCallersThread_LeavesItsFloatingPointAlone()
    {
        using var folder = TinyFolder.Create();
        using var runtime = Open(folder, WeightScheme.Bf16);
        Logits(runtime);
        Assert.Equal(float.Epsilon, Half(2 * float.Epsilon));
        runtime.Embed(new SequenceStep(Prompt(), 0, Pages(runtime), StepLogits.None), new float[runtime.Info.HiddenSize]);
        Assert.Equal(float.Epsilon, Half(2 * float.Epsilon));

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static float Half(float value) => value * 0.5f;
    }

    [KernelFact]
    public void Step_AfterDisposal_Throws()
    {
        using var folder = TinyFolder.Create();
        var runtime = Open(folder, WeightScheme.Bf16);
        runtime.Dispose();
        runtime.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Logits(runtime));
    }

    [KernelFact]
    public void Open_TensorsThatAreNotUsed_ArePassedOver()
    {
        var shape = new TinyShape();
        using var folder = TinyFolder.Create(shape);
        var weights = shape.Tensors().Select(tensor => new TensorToWrite(tensor.Name, "BF16", [.. tensor.Shape.Select(each => (long)each)], folder.Weights.Bytes(tensor.Name)));
        folder.Write("model.safetensors", SafetensorsBytes.Of(
        [
            .. weights,
            new TensorToWrite("model.layers.0.self_attn.rotary_emb.inv_freq", "F32", [8], new byte[32]),
            new TensorToWrite("lm_head.weight", "BF16", [288, 64], new byte[288 * 64 * 2]),
        ]));
        using var runtime = Open(folder, WeightScheme.Bf16);
        Assert.InRange(Compare(runtime, new ReferenceForward(folder.Weights)), 1e-6, Tolerance(WeightScheme.Bf16));
        Assert.Contains(runtime.Identity.Tensors, tensor => tensor.Name == "lm_head.weight");
    }

    /// <summary>Its embedding is more than one chunk of 4 MiB.</summary>
    private static TinyShape Large { get; } = new() { Vocabulary = 34_000 };

    private static KernelRuntime Open(TinyFolder folder, WeightScheme scheme) =>
        KernelRuntime.Open(folder.Path, new LanguageModelLoadOptions { Scheme = scheme, CacheBytes = 8 << 20 }, default);

    private static Formats.Hash256 Identity(TinyFolder folder, WeightScheme scheme)
    {
        using var runtime = Open(folder, scheme);
        return runtime.Info.Identity;
    }

    /// <summary>The error's share of the reference, over every position of the prompt.</summary>
    private static double Compare(KernelRuntime runtime, ReferenceForward reference)
    {
        var expected = Prompt().Select(reference.Logits).ToArray();
        return Share(expected, [.. Logits(runtime).Chunk(runtime.Info.VocabularySize)]);
    }

    private static double Share(double[][] expected, float[][] actual)
    {
        var error = expected.Zip(actual, (row, other) => row.Zip(other, (x, y) => (x - y) * (x - y)).Sum()).Sum();
        return Math.Sqrt(error / expected.Sum(row => row.Sum(x => x * x)));
    }

    private static float[] Logits(KernelRuntime runtime)
    {
        var logits = new float[Tokens * runtime.Info.VocabularySize];
        runtime.Step([new SequenceStep(Prompt(), 0, Pages(runtime), StepLogits.All)], logits);
        return logits;
    }

    private static int[] Pages(KernelRuntime runtime) => [.. Enumerable.Range(3, Tokens / runtime.Info.PageTokens + 1)];

    private static int[] Prompt()
    {
        var random = new Random(5);
        return [.. Enumerable.Range(0, Tokens).Select(_ => random.Next(288))];
    }

    private sealed class Reports(Action<LoadProgress> then) : IProgress<LoadProgress>
    {
        public List<LoadProgress> Seen { get; } = [];

        public void Report(LoadProgress value)
        {
            Seen.Add(value);
            then(value);
        }
    }
}
