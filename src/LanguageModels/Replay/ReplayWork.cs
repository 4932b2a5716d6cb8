using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.LanguageModels.Replay;

/// <summary>A replay beside a served model's answers.</summary>
internal sealed class ReplayWork(AnswerReplay replay) : CacheWork
{
    private readonly TaskCompletionSource<GenerationReplayVerdict> _verdict = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<GenerationReplayVerdict> Verdict => _verdict.Task;

    public override Task Completion => _verdict.Task;

    public override int Tokens => replay.Tokens;

    public override bool Advance(ITokenRuntime runtime, ReadOnlyMemory<int> pages)
    {
        if (replay.Advance(runtime, pages) is not { } verdict) return false;
        _verdict.TrySetResult(verdict);
        return true;
    }

    public override void Fail(Exception error) => _verdict.TrySetException(error);
}
