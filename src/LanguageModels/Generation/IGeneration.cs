namespace OpenGradient.Engine.LanguageModels.Generation;

/// <summary>An admitted request under way. One reader; safe to cancel from any thread.</summary>
public interface IGeneration
{
    /// <summary>Parts as they come; ends with the answer. Leaving the loop early cancels: slot and cache are freed within a step.</summary>
    IAsyncEnumerable<GenerationPart> ReadPartsAsync(CancellationToken cancellation);

    /// <summary>The whole answer, whether or not parts are read. Never faulted: failures are in the result.</summary>
    Task<GenerationResult> Completion { get; }

    /// <summary>Ends the answer where it is; its head is signed with <see cref="FinishReason.Cancelled"/>.</summary>
    void Cancel();
}

/// <summary>Continues prompts. Safe for concurrent calls.</summary>
public interface ITextGenerator
{
    /// <summary>Admits a request, or says at once why not.</summary>
    /// <returns>The generation, or null with <paramref name="failure"/> set.</returns>
    IGeneration? Start(GenerationRequest request, out GenerationFailure? failure);
}
