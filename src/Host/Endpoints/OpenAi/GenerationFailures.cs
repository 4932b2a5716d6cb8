using OpenGradient.Engine.Host.Protocol.OpenAi;
using OpenGradient.Engine.LanguageModels.Generation;

namespace OpenGradient.Engine.Host.Endpoints.OpenAi;

/// <summary>The scheduler's closed set of failures in the form of that API.</summary>
internal static class GenerationFailures
{
    /// <param name="prompt">The field that holds the prompt: <c>messages</c> or <c>prompt</c>.</param>
    public static OpenAiException Of(GenerationFailure failure, string? prompt)
    {
        var (status, param, code) = failure.Error switch
        {
            GenerationError.InvalidPrompt => (StatusCodes.Status400BadRequest, prompt, "invalid_prompt"),
            GenerationError.ContextExceeded => (StatusCodes.Status400BadRequest, prompt, "context_length_exceeded"),
            // Nothing that a caller does about it helps except asking for less.
            GenerationError.CacheTooSmall => (StatusCodes.Status400BadRequest, prompt, "context_length_exceeded"),
            GenerationError.InvalidParameter => (StatusCodes.Status400BadRequest, null, "invalid_value"),
            GenerationError.ConstraintUnsatisfiable => (StatusCodes.Status400BadRequest, "response_format", "unsatisfiable_schema"),
            GenerationError.QueueFull => (StatusCodes.Status429TooManyRequests, null, "queue_full"),
            GenerationError.TrustGapExceeded => (StatusCodes.Status503ServiceUnavailable, null, "trust_gap_exceeded"),
            GenerationError.Stopping => (StatusCodes.Status503ServiceUnavailable, null, "stopping"),
            GenerationError.DeadlineExceeded => (StatusCodes.Status504GatewayTimeout, null, "timeout"),
            GenerationError.Sealing => (StatusCodes.Status500InternalServerError, null, "no_receipt"),
            _ => (StatusCodes.Status500InternalServerError, (string?)null, "runtime_failed"),
        };
        return new OpenAiException(status, failure.Message, param, code) { RetryAfter = failure.RetryAfter ?? (status is 429 or 503 ? TimeSpan.FromSeconds(1) : null) };
    }

    /// <summary>An answer that the host itself cut short, because it stops.</summary>
    public static OpenAiException Stopped() =>
        new(StatusCodes.Status503ServiceUnavailable, "the host is stopping; the answer was cut short", null, "stopping") { RetryAfter = TimeSpan.FromSeconds(1) };
}
