using System.Security.Cryptography;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Commitments;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Sampling;

namespace OpenGradient.Engine.LanguageModels.Generation;

/// <summary>A request that was checked, with everything that it left open decided. Immutable.</summary>
internal sealed record GenerationPlan(GenerationRequest Request, int[] Prompt, GenerationParameters Parameters)
{
    public const int MaxStops = 16;
    public const int MaxStopLength = 256;

    public Hash256 ParameterDigest { get; } = Parameters.Digest();

    public string CallerKey => Request.Caller ?? "";

    /// <summary>Null with the failure set, when the request cannot be served.</summary>
    public static GenerationPlan? TryMake(GenerationRequest request, TokenModelInfo info, IReadOnlyList<int> endTokens, out GenerationFailure? failure)
    {
        failure = TokenCheck.Error(request.Prompt.Span, info, info.ContextLength - 1) ?? ParameterError(request, info);
        if (failure is not null) return null;
        var maxTokens = MaxTokens(request, info, out failure);
        if (failure is not null) return null;
        var parameters = new GenerationParameters
        {
            // Copied, because a dictionary or list of the caller's may change while the answer is written.
            Sampling = request.Sampling with { LogitBias = new Dictionary<int, float>(request.Sampling.LogitBias) },
            Seed = request.Sampling.Seed ?? RandomSeed(),
            MaxTokens = maxTokens,
            Stop = [.. request.Stop],
            IgnoreEndOfSequence = request.IgnoreEndOfSequence,
            Constraint = request.Constraint is { } constraint ? Hash256.Sha256(constraint.Description.Span) : null,
            EndTokens = endTokens,
        };
        return new GenerationPlan(request, request.Prompt.ToArray(), parameters);
    }

    private static GenerationFailure? ParameterError(GenerationRequest request, TokenModelInfo info)
    {
        var error = request.Sampling is null ? "sampling parameters are null" : SamplingLimits.Error(request.Sampling, info.VocabularySize);
        error ??= StopError(request.Stop);
        if (request.MaxTokens < 1) error ??= $"max_tokens is {request.MaxTokens}; it is at least 1";
        if (request.Timeout <= TimeSpan.Zero) error ??= "the timeout is not positive";
        if (request.Priority is < RequestPriority.High or > RequestPriority.Low) error ??= $"{request.Priority} is not a priority";
        return error is null ? null : new GenerationFailure(GenerationError.InvalidParameter, error);
    }

    private static string? StopError(IReadOnlyList<string>? stops)
    {
        if (stops is null) return "stop is null";
        if (stops.Count > MaxStops) return $"stop has {stops.Count} texts; at most {MaxStops}";
        for (var i = 0; i < stops.Count; i++)
        {
            if (string.IsNullOrEmpty(stops[i])) return $"stop text {i} is empty";
            if (stops[i].Length > MaxStopLength) return $"stop text {i} has {stops[i].Length} characters; at most {MaxStopLength}";
            // It could neither be met in a text nor written into the parameters.
            if (!IsUnicode(stops[i])) return $"stop text {i} has half of a surrogate pair";
        }

        return null;
    }

    private static bool IsUnicode(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return false;
            i++;
        }

        return true;
    }

    /// <summary>The last token is never computed from, so it needs no place in the cache.</summary>
    private static int MaxTokens(GenerationRequest request, TokenModelInfo info, out GenerationFailure? failure)
    {
        failure = null;
        var inContext = info.ContextLength - request.Prompt.Length;
        var inCache = ((long)info.Pages * info.PageTokens) - request.Prompt.Length + 1;
        var wanted = request.MaxTokens ?? Math.Max(1, (int)Math.Min(inContext, inCache));
        if (wanted > inContext)
            failure = new GenerationFailure(GenerationError.ContextExceeded, $"the prompt's {request.Prompt.Length} tokens and max_tokens {wanted} are more than the context of {info.ContextLength}");
        else if (wanted > inCache)
            failure = new GenerationFailure(GenerationError.CacheTooSmall, $"the prompt's {request.Prompt.Length} tokens and max_tokens {wanted} are more than the cache's {(long)info.Pages * info.PageTokens}");
        return wanted;
    }

    private static ulong RandomSeed()
    {
        Span<byte> bytes = stackalloc byte[8];
        RandomNumberGenerator.Fill(bytes);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
