using OpenGradient.Engine.LanguageModels.Kernels.Interop;
using OpenGradient.Engine.LanguageModels.Loading;

namespace OpenGradient.Engine.LanguageModels.Kernels;

/// <summary>How a model will be laid out in memory: the native configuration, and how many pages the cache's bytes buy.</summary>
internal sealed unsafe class KernelPlan
{
    // Small enough that a short sequence wastes little and prefixes are shared finely; page tables stay short at any context.
    private const int PageTokens = 16;

    // Twice the scheduler's default share of prompt tokens, so that an operator may raise it, and checking an answer by one pass
    // is not slowed; work space for a 0.5 billion model stays at some tens of MiB. Every sequence may decode beside it.
    private const int PromptTokens = 512;

    private const int MaxThreads = 256, MaxSequences = 4096;

    private KernelPlan(NativeConfig config, long pageBytes, long totalBytes)
    {
        Config = config;
        PageBytes = pageBytes;
        TotalBytes = totalBytes;
    }

    public NativeConfig Config { get; }

    public long PageBytes { get; }

    /// <summary>Weights, cache and work space.</summary>
    public long TotalBytes { get; }

    /// <exception cref="LanguageModelLoadException">An option is outside its range, or the cache's bytes do not buy a page.</exception>
    public static KernelPlan Make(KernelLibrary library, ModelConfiguration model, WeightScheme scheme, LanguageModelLoadOptions options)
    {
        var threads = options.Threads ?? Math.Min(Environment.ProcessorCount, MaxThreads);
        Require(threads is >= 1 and <= MaxThreads, $"threads is {threads}, not between 1 and {MaxThreads}");
        Require(options.MaxSequences is >= 1 and <= MaxSequences, $"maxSequences is {options.MaxSequences}, not between 1 and {MaxSequences}");
        Require(options.CacheBytes > 0, $"cacheBytes is {options.CacheBytes}, not positive");
        var context = options.ContextLength ?? model.Context;
        Require(context >= 1 && context <= model.Context, $"contextLength is {context}, not between 1 and the model's {model.Context}");

        var isa = KernelLibrary.IsaOf(options.InstructionSet)
            ?? throw new LanguageModelLoadException($"instructionSet is {Quoted.Of(options.InstructionSet!)}, none of scalar, avx2, avx512 and amx");

        var config = Lay(model, scheme, options, isa, threads, context);
        var (one, two) = (Memory(library, config, 1), Memory(library, config, 2));
        var pageBytes = two.Cache - one.Cache;
        Require(pageBytes > 0, "the kernels name no size for a page of the cache");
        var pages = Math.Min(options.CacheBytes / pageBytes, int.MaxValue);
        Require(pages >= 1, $"cacheBytes is {options.CacheBytes}, less than one page of {PageTokens} tokens, {pageBytes} bytes");
        config.Pages = (uint)pages;
        var (weights, cache, work) = Memory(library, config, config.Pages);
        return new KernelPlan(config, pageBytes, checked(weights + cache + work));
    }

    private static NativeConfig Lay(ModelConfiguration model, WeightScheme scheme, LanguageModelLoadOptions options, uint isa, int threads, int context) => new()
    {
        Architecture = (uint)model.Architecture,
        Scheme = WeightSchemes.CodeOf(scheme),
        Isa = isa,
        Threads = (uint)threads,
        Vocabulary = (uint)model.Vocabulary,
        Hidden = (uint)model.Hidden,
        Intermediate = (uint)model.Intermediate,
        Layers = (uint)model.Layers,
        Heads = (uint)model.Heads,
        KvHeads = (uint)model.KvHeads,
        HeadDim = (uint)model.HeadDim,
        Context = (uint)context,
        TiedEmbeddings = model.TiedEmbeddings ? 1u : 0u,
        AttentionBias = model.AttentionBias ? 1u : 0u,
        PageTokens = PageTokens,
        MaxSequences = (uint)options.MaxSequences,
        MaxStepTokens = (uint)(PromptTokens + options.MaxSequences),
        RopeKind = (uint)model.Rope.Kind,
        RopeTheta = model.Rope.Theta,
        RopeFactor = model.Rope.Factor,
        RopeLowFrequency = model.Rope.LowFrequency,
        RopeHighFrequency = model.Rope.HighFrequency,
        RopeOriginalContext = (uint)model.Rope.OriginalContext,
        NormEpsilon = model.NormEpsilon,
    };

    private static (long Weights, long Cache, long Work) Memory(KernelLibrary library, NativeConfig config, uint pages)
    {
        config.Pages = pages;
        ulong weights, cache, work;
        NativeError error;
        KernelStatus.Check(library.Functions.ModelMemory(&config, &weights, &cache, &work, &error), error);
        return checked(((long)weights, (long)cache, (long)work));
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition) throw new LanguageModelLoadException(otherwise);
    }
}
