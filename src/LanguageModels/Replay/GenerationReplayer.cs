using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.LanguageModels.Replay;

/// <summary>
/// Computes answers again from their receipts and prompts. Where prefill equals decode this is one pass over prompt and answer
/// and much faster than generating was; otherwise it is the same calls again.
/// </summary>
public static class GenerationReplayer
{
    /// <summary>Replays beside what a served model does; its answers go on meanwhile.</summary>
    /// <exception cref="GenerationException">The model's queue is full, it is being unloaded, or its cache is too small.</exception>
    public static async Task<GenerationReplayVerdict> ReplayAsync(LanguageModel model, GenerationClaim claim, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(claim);
        if (Prepare(claim, model.Info, model.Tokenizer, model.PrefillTokensPerStep, model.Time, out var replay) is { } verdict) return verdict;
        var work = new ReplayWork(replay!);
        await model.RunAsync(work, cancellation).ConfigureAwait(false);
        try
        {
            return await work.Verdict.ConfigureAwait(false);
        }
        catch (GenerationException failed) when (failed.Failure.Error == GenerationError.Runtime)
        {
            return ClaimCheck.Verdict(GenerationReplayOutcome.RuntimeFailed, failed.Failure.Message);
        }
    }

    /// <summary>Replays with a runtime that nobody else uses; all of its pages are the replay's.</summary>
    /// <param name="tokenizer">Null where stop texts need not be checked.</param>
    /// <param name="time">Measures; null for the system's.</param>
    public static GenerationReplayVerdict Replay(
        ITokenRuntime runtime, GenerationClaim claim, Tokenizer? tokenizer = null, TimeProvider? time = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(runtime);
        ArgumentNullException.ThrowIfNull(claim);
        var info = runtime.Info;
        if (Prepare(claim, info, tokenizer, info.MaxStepTokens, time ?? TimeProvider.System, out var replay) is { } verdict) return verdict;
        int[] pages = [.. Enumerable.Range(0, (replay!.Tokens + info.PageTokens - 1) / info.PageTokens)];
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                if (replay.Advance(runtime, pages) is { } reached) return reached;
            }
            catch (TokenRuntimeException error)
            {
                return ClaimCheck.Verdict(GenerationReplayOutcome.RuntimeFailed, Failures.Runtime(error).Message);
            }
        }
    }

    private static GenerationReplayVerdict? Prepare(
        GenerationClaim claim, TokenModelInfo info, Tokenizer? tokenizer, int mostPerCall, TimeProvider time, out AnswerReplay? replay)
    {
        replay = null;
        if (ClaimCheck.Check(claim, info, out var stated) is { } verdict) return verdict with { Stated = stated, Here = info.Runtime };
        try
        {
            replay = new AnswerReplay(claim, info, stated!, tokenizer, mostPerCall, time);
            return null;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return ClaimCheck.Verdict(GenerationReplayOutcome.WrongParameters, "the constraint cannot be started");
        }
    }
}
