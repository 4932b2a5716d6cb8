using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.LanguageModels.Tests.Doubles;

/// <summary>Lets a fake runtime make so many steps and no more, so that a test knows where a schedule stands.</summary>
internal sealed class StepGate : IDisposable
{
    private readonly SemaphoreSlim _allowed = new(0);
    private int _entered, _released;
    private volatile bool _isOpen;

    public StepGate(FakeRuntime runtime) => runtime.Stepping = Wait;

    /// <summary>Steps that have begun, the one that waits included.</summary>
    public int Entered => Volatile.Read(ref _entered);

    public void Allow(int steps)
    {
        _released += steps;
        _allowed.Release(steps);
    }

    public void Open()
    {
        _isOpen = true;
        _allowed.Release(1);
    }

    /// <summary>Allows what is missing and returns when so many steps have begun: all before it are done, the last one waits.</summary>
    public Task Reached(int steps)
    {
        if (_released < steps - 1) Allow(steps - 1 - _released);
        return FakeModel.Until(() => Entered >= steps);
    }

    public void Dispose() => Open();

    private void Wait(int number, SequenceStep[] steps)
    {
        Interlocked.Increment(ref _entered);
        if (_isOpen) return;
        _allowed.Wait();
        if (_isOpen) _allowed.Release();
    }
}
