using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.LanguageModels.Generation;

/// <summary>What callers are told of failures that are not of their making.</summary>
internal static class Failures
{
    public static GenerationFailure Stopping { get; } = new(GenerationError.Stopping, "the model is being unloaded");

    public static GenerationFailure DeadlineExceeded { get; } = new(GenerationError.DeadlineExceeded, "the request's timeout is over");

    /// <summary>A runtime's own messages are fit for callers; those of anything else are the operator's.</summary>
    public static GenerationFailure Runtime(Exception error) =>
        new(GenerationError.Runtime, error is TokenRuntimeException ? $"the runtime failed: {error.Message}" : "the runtime failed");
}
