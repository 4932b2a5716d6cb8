using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels;
using OpenGradient.Engine.LanguageModels.Commitments;
using OpenGradient.Engine.LanguageModels.Constraints;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.LanguageModels.Replay;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.Hosting.Replay;

/// <summary>A generated answer as its holder has it, with everything that its receipt holds digests of.</summary>
public sealed record HeldGeneration
{
    public required Receipt Receipt { get; init; }

    /// <summary>Token ids.</summary>
    public required ReadOnlyMemory<int> Prompt { get; init; }

    public required ReadOnlyMemory<int> Answer { get; init; }

    /// <summary>Canonical bytes (docs/formats.md, "Generation parameters").</summary>
    public required ReadOnlyMemory<byte> Parameters { get; init; }

    public required FinishReason Finish { get; init; }

    /// <summary>Leaf hash of the head before; zeros for an answer with one head.</summary>
    public Hash256 Previous { get; init; }

    /// <summary>What the answer had to follow; null for nothing.</summary>
    public ReadOnlyMemory<byte>? Constraint { get; init; }

    /// <summary>The prompt as text, which takes the place of its tokens; null where the tokens count.</summary>
    public string? PromptText { get; init; }
}

/// <summary>Computes generated answers again in whatever process holds the model: no host, no data folder and no chain is needed.</summary>
public static class GenerationReplay
{
    // One sequence at a time needs no more; a longer context than it holds is refused by the loader.
    private const int Sequences = 1;

    /// <param name="model">The model's folder, or a folder in which the receipt's model is found by name.</param>
    /// <param name="libraries">Paths of libog_kernels.so and of ONNX Runtime's library; null looks in the documented places.</param>
    /// <exception cref="FormatException">The parameters, the constraint or the statement cannot be read.</exception>
    /// <exception cref="Configuration.ConfigurationException">The folder holds no model of the receipt's name.</exception>
    /// <exception cref="LanguageModelLoadException">The model cannot be opened.</exception>
    public static async Task<GenerationReplayVerdict> RunAsync(
        HeldGeneration held, string model, (string? Kernels, string? OnnxRuntime) libraries, TimeProvider clock, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(held);
        var context = Statement.Decode(held.Receipt.Statement.Span).Context;
        var parameters = GenerationParameters.Decode(held.Parameters.Span);
        var parts = await LanguageModelFolder.OpenAsync(LanguageModelFinder.Find(model, context.ModelName), Options(context, libraries), cancellation).ConfigureAwait(false);
        using var runtime = parts.Runtime;
        var claim = new GenerationClaim
        {
            Receipt = held.Receipt,
            Prompt = held.PromptText is { } text ? Tokenize(text, parts, held.Receipt) : held.Prompt,
            Answer = held.Answer,
            Parameters = parameters,
            Finish = held.Finish,
            Previous = held.Previous,
            Constraint = Compile(held.Constraint, parts.Tokenizer),
        };
        return await Task.Run(() => GenerationReplayer.Replay(runtime, claim, parts.Tokenizer, clock, cancellation), cancellation).ConfigureAwait(false);
    }

    private static LanguageModelLoadOptions Options(StatementContext context, (string? Kernels, string? OnnxRuntime) libraries) => new()
    {
        Name = context.ModelName,
        Version = context.ModelVersion,
        // The scheme is part of the identity: the same weights in another are another model.
        Scheme = context.Runtime.Precision switch { "bf16" => WeightScheme.Bf16, "int8" => WeightScheme.Int8, "int4" => WeightScheme.Int4, _ => null },
        MaxSequences = Sequences,
        KernelsLibrary = libraries.Kernels,
        OnnxRuntimeLibrary = libraries.OnnxRuntime,
    };

    // Completions are tokenized with the special tokens that the tokenizer adds; chats have theirs from the template.
    private static int[] Tokenize(string text, LanguageModelParts parts, Receipt receipt)
    {
        var asked = RowLeaf.Decode(receipt.Leaf.Span).Request;
        var completion = parts.Tokenizer.Encode(text, addSpecialTokens: true);
        if (GenerationRow.RequestDigest(completion) == asked) return completion;
        var chat = parts.Tokenizer.Encode(text, addSpecialTokens: false);
        return GenerationRow.RequestDigest(chat) == asked ? chat : completion;
    }

    private static ITokenConstraintSource? Compile(ReadOnlyMemory<byte>? schema, Tokenizer tokenizer)
    {
        try
        {
            return schema is { } bytes ? JsonSchemaConstraint.Compile(bytes, tokenizer) : null;
        }
        catch (JsonSchemaException error)
        {
            throw new FormatException($"the constraint cannot be compiled: {error.Message}", error);
        }
    }
}
