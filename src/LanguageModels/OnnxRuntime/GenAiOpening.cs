using System.Globalization;
using System.Numerics;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.LanguageModels.OnnxRuntime;

/// <summary>From a folder to a runtime: read, identify, open, check, try.</summary>
internal static class GenAiOpening
{
    // At 128 tokens a product of matrices takes little more per token than at any length; a prompt's split then depends on the model alone.
    private const int LargestChunk = 128;

    // The model gives logits for every token of a piece; published vocabularies of 256 Ki tokens still get the whole 128.
    private const long LargestLogits = 128 << 20;

    // More would only be names of slots: nobody runs so many sequences on one machine.
    private const int MostPages = 1 << 16;

    public static GenAiRuntime Open(string folder, FolderTexts texts, LanguageModelLoadOptions options, CancellationToken cancellation)
    {
        if (options.InstructionSet is not null)
            throw new LanguageModelLoadException("an instruction set was asked for, but ONNX Runtime, which serves this folder, chooses its own");
        var name = options.Name ?? new DirectoryInfo(folder).Name;
        var library = Load(options.OnnxRuntimeLibrary);
        using var files = GenAiFiles.Read(folder, name, texts, library, cancellation);
        options.Progress?.Report(new LoadProgress(0, files.Artifact.Length));
        var context = Context(files.Config, options);
        OrtSession? session = null;
        GenAiDecoder? decoder = null;
        try
        {
            var operators = new GenAiOperators(OnnxGraph.Read(name, files.Artifact.Model));
            if (!operators.AttendsInGroups) throw new LanguageModelLoadException("the model has no GroupQueryAttention, so past and present cannot share a buffer");
            CheckScheme(operators, options.Scheme);
            session = OrtSession.Open(library, name, files.Artifact, ExecutionOptionsOf(options));
            options.Progress?.Report(new LoadProgress(files.Artifact.Length, files.Artifact.Length));
            cancellation.ThrowIfCancellationRequested();
            var signature = new GenAiSignature(files.Config, session.Inputs, session.Outputs);
            var cache = new KeyValueCache(files.Config, context, Pages(files.Config, context, signature, options), signature.CacheType);
            decoder = new GenAiDecoder(files.Config, signature, session, cache);
            return Tried(files, operators, signature, decoder, session.Fingerprint, options);
        }
        catch (Exception error) when (error is ModelLoadException or OnnxRuntimeException or OverflowException)
        {
            if (decoder is null) session?.Dispose();
            decoder?.Dispose();
            throw new LanguageModelLoadException($"the model of '{name}' cannot be served: {error.Message}", error);
        }
        catch
        {
            if (decoder is null) session?.Dispose();
            decoder?.Dispose();
            throw;
        }
    }

    private static OnnxRuntimeLibrary Load(string? path)
    {
        try
        {
            return OnnxRuntimeLibrary.Load(path);
        }
        catch (OnnxRuntimeException error)
        {
            throw new LanguageModelLoadException(error.Message, error);
        }
    }

    private static ExecutionOptions ExecutionOptionsOf(LanguageModelLoadOptions options)
    {
        var threads = options.Threads ?? Environment.ProcessorCount;
        if (threads < 1) throw new LanguageModelLoadException($"{threads} threads: at least 1 is needed");
        return new ExecutionOptions { IntraOpThreads = threads };
    }

    private static int Context(GenAiConfig config, LanguageModelLoadOptions options)
    {
        var context = options.ContextLength ?? config.ContextLength;
        return context >= 2 && context <= config.ContextLength
            ? context
            : throw new LanguageModelLoadException($"a context of {context} tokens was asked for; the model has {config.ContextLength}");
    }

    private static int Pages(GenAiConfig config, int context, GenAiSignature signature, LanguageModelLoadOptions options)
    {
        if (options.MaxSequences < 1) throw new LanguageModelLoadException($"{options.MaxSequences} sequences: at least 1 is needed");
        var page = KeyValueCache.PageBytes(config, context, signature.CacheType);
        var pages = options.CacheBytes / page;
        return pages > 0
            ? (int)Math.Min(pages, MostPages)
            : throw new LanguageModelLoadException(
                $"a sequence of {context} tokens takes {page} bytes of cache, more than the {options.CacheBytes} there are: raise the cache or shorten the context");
    }

    private static void CheckScheme(GenAiOperators operators, WeightScheme? asked)
    {
        var scheme = asked switch { WeightScheme.Int8 => "int8", WeightScheme.Int4 => "int4", WeightScheme.Bf16 => "bf16", _ => operators.Precision };
        if (scheme != operators.Precision)
            throw new LanguageModelLoadException($"the scheme {scheme} was asked for, but the folder's weights are {operators.Precision}");
    }

    private static GenAiRuntime Tried(
        GenAiFiles files, GenAiOperators operators, GenAiSignature signature, GenAiDecoder decoder, RuntimeFingerprint fingerprint, LanguageModelLoadOptions options)
    {
        var (config, context) = (files.Config, decoder.Cache.Capacity);
        RaggedProbe.AppendToTheEnd(decoder, context);
        var sequences = Math.Min(options.MaxSequences, decoder.Cache.Slots);
        var isRagged = operators.Unproven is null && RaggedProbe.Holds(decoder, config.VocabularySize, context, sequences);
        var chunk = Chunk(config);
        var info = new TokenModelInfo
        {
            Architecture = config.Architecture,
            Identity = files.Identity,
            Runtime = fingerprint with { Precision = operators.Precision, Options = Describe(fingerprint.Options, isRagged, chunk) },
            VocabularySize = config.VocabularySize,
            HiddenSize = config.HiddenSize,
            ContextLength = context,
            PageTokens = context,
            Pages = decoder.Cache.Slots,
            PageBytes = KeyValueCache.PageBytes(config, context, signature.CacheType),
            MaxSequences = sequences,
            MaxStepTokens = Math.Max(chunk, sequences),
            Prefill = PrefillRule.FixedChunks,
            PrefillChunk = chunk,
            PrefillEqualsDecode = false,
        };
        return new GenAiRuntime(decoder, isRagged, signature.IsLastOnly, info, config);
    }

    // A function of the model as it was published, not of the context that an operator leaves of it.
    private static int Chunk(GenAiConfig config)
    {
        var byContext = Math.Max(1, config.ContextLength / 4);
        var byLogits = Math.Max(1, LargestLogits / (sizeof(float) * config.VocabularySize));
        return (int)BitOperations.RoundUpToPowerOf2((ulong)Math.Min(LargestChunk, Math.Min(byContext, byLogits)) + 1) / 2;
    }

    // decode=ragged   sequences side by side; =alone where that changes bits.
    // prefill=N       the pieces that prompts come in.
    private static string Describe(string options, bool isRagged, int chunk) => string.Join(
        ';',
        options.Split(';').Append($"decode={(isRagged ? "ragged" : "alone")}").Append(string.Create(CultureInfo.InvariantCulture, $"prefill={chunk}"))
            .Order(StringComparer.Ordinal));
}
