using System.Collections.Concurrent;
using OpenGradient.Engine.LanguageModels.Commitments;
using OpenGradient.Engine.LanguageModels.Diagnostics;
using OpenGradient.Engine.LanguageModels.Generation.Cache;
using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.LanguageModels.Generation;

/// <summary>
/// The thread that owns a model's runtime. Each turn: take what arrived, end what is cancelled or overdue, give slots and
/// pages to who is next, make one call of the runtime, choose tokens, sign heads, tell callers. Sequences come and go between
/// turns. Others reach it through its inbox only.
/// </summary>
internal sealed class SequenceScheduler : IDisposable
{
    private static readonly TimeSpan LongestTimer = TimeSpan.FromHours(1);

    private readonly ITokenRuntime _runtime;
    private readonly TokenModelInfo _info;
    private readonly TimeProvider _time;
    private readonly ModelCounters _counters;
    private readonly LanguageModelInstruments _instruments;
    private readonly QueuePlaces _places;
    private readonly HeadSealer? _sealer;
    private readonly WaitingLine _waiting = new();
    private readonly Residency _residency;
    private readonly StepPlan _plan;
    private readonly RowSampling _sampling;
    private readonly AnswerEnding _ending;
    private readonly WorkQueue _works;
    private readonly List<Sequence> _rows = [];

    // Slowed down by the gate, and with a deadline: looked through at every turn, bounded by slots and queue.
    private readonly List<Sequence> _slowed = [];
    private readonly HashSet<Sequence> _timed = [];
    private readonly List<Sequence> _overdue = [];

    // Anybody may write; the thread reads.
    private readonly ConcurrentQueue<Action> _inbox = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly ITimer _timer;
    private readonly Lock _closing = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isClosed;
    private volatile bool _isStopping;

    private float[] _logits = [];
    private long _order;
    private long _lastStart;
    private double _secondsPerStart;

    public SequenceScheduler(
        LanguageModelParts parts, LanguageModelOptions options, LanguageModelServices services, ModelCounters counters, LanguageModelInstruments instruments, QueuePlaces places,
        PagePool pool)
    {
        _runtime = parts.Runtime;
        _info = parts.Runtime.Info;
        _time = services.Time;
        _counters = counters;
        _instruments = instruments;
        _places = places;
        _residency = new Residency(pool, _info, _waiting);
        Pool = pool;
        _plan = new StepPlan(_info, options.PrefillTokensPerStep);
        _sampling = new RowSampling(_info, parts.EndTokens);
        _works = new WorkQueue(_runtime, pool, counters, () => places.Leave(""));
        if (services.Sealer is { } sealer) _sealer = new HeadSealer(sealer, services.Sink, GenerationRow.Context(parts.Name, parts.Version, _info));
        _ending = new AnswerEnding(_residency, _sealer, options.Commitments, counters, _time, Leave);
        _timer = _time.CreateTimer(static state => ((SequenceScheduler)state!)._wake.Set(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        new Thread(Run) { IsBackground = true, Name = $"og-llm {parts.Name}" }.Start();
    }

    /// <summary>The thread's own; others read its counts only.</summary>
    public PagePool Pool { get; }

    /// <summary>Seconds between two sequences that got a slot, lately; 0 before there were two.</summary>
    public double SecondsPerStart => Volatile.Read(ref _secondsPerStart);

    /// <summary>False when the model is being unloaded: the sequence was not taken.</summary>
    public bool TryAdd(Sequence sequence) => TryPost(() => Arrive(sequence));

    /// <summary>False when the model is being unloaded: the work was not taken.</summary>
    public bool TryAdd(CacheWork work) => TryPost(() => _works.Add(work));

    public void Cancel(Sequence sequence) => TryPost(() => _ending.End(sequence, new AnswerEnd(FinishReason.Cancelled)));

    public void Wake() => _wake.Set();

    /// <summary>Ends everything that is under way and then the thread.</summary>
    public Task StopAsync()
    {
        lock (_closing) _isClosed = true;
        _isStopping = true;
        _wake.Set();
        return _stopped.Task;
    }

    /// <summary>After <see cref="StopAsync"/> has completed.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        _sealer?.Dispose();
        _wake.Dispose();
    }

    private bool TryPost(Action action)
    {
        lock (_closing)
        {
            if (_isClosed) return false;
            _inbox.Enqueue(action);
        }

        _wake.Set();
        return true;
    }

    private void Run()
    {
        try
        {
            while (!_isStopping)
                if (!Turn()) Wait();
            TryEndAll(new AnswerEnd(FinishReason.Cancelled, Failures.Stopping));
        }
        catch (Exception error)
        {
            // Nothing is known to lead here. If something does, nobody may wait for ever.
            lock (_closing) _isClosed = true;
            TryEndAll(new AnswerEnd(FinishReason.Failed, Failures.Runtime(error)));
        }
        finally
        {
            _stopped.SetResult();
        }
    }

    /// <summary>False when there is nothing to do until somebody calls or a timer is due.</summary>
    private bool Turn()
    {
        while (_inbox.TryDequeue(out var action)) action();
        EndOverdue();
        Settle();
        LetGoOfSlowed();
        _works.Begin();
        if (!_works.IsBlocked) _residency.Admit(Started);
        var hasWorked = _works.Advance();
        var hasStepped = Step();
        Settle();
        return hasWorked || hasStepped || !_inbox.IsEmpty;
    }

    private void Wait()
    {
        var next = long.MaxValue;
        foreach (var sequence in _slowed) next = Math.Min(next, sequence.Times.Ready);
        foreach (var sequence in _timed) next = Math.Min(next, sequence.Times.Deadline);
        if (next != long.MaxValue)
        {
            var left = _time.GetElapsedTime(_time.GetTimestamp(), next);
            // A timer may be early by its resolution; one at zero may be this turn's own.
            _timer.Change(left < LongestTimer ? TimeSpan.FromTicks(Math.Max(left.Ticks, TimeSpan.TicksPerMillisecond)) : LongestTimer, Timeout.InfiniteTimeSpan);
        }

        _wake.WaitOne();
    }

    private void Arrive(Sequence sequence)
    {
        sequence.Order = ++_order;
        if (sequence.Times.Deadline != long.MaxValue) _timed.Add(sequence);
        if (sequence.Times.Ready > _time.GetTimestamp()) _slowed.Add(sequence);
        else _waiting.Add(sequence);
    }

    /// <summary>A sequence that waited has ended.</summary>
    private void Leave(Sequence sequence)
    {
        _places.Leave(sequence.Plan.CallerKey);
        _slowed.Remove(sequence);
    }

    private void LetGoOfSlowed()
    {
        if (_slowed.Count == 0) return;
        var now = _time.GetTimestamp();
        for (var i = _slowed.Count - 1; i >= 0; i--)
        {
            if (_slowed[i].Times.Ready > now) continue;
            _waiting.Add(_slowed[i]);
            _slowed.RemoveAt(i);
        }
    }

    private void EndOverdue()
    {
        if (_timed.Count == 0) return;
        var now = _time.GetTimestamp();
        foreach (var sequence in _timed)
            if (sequence.State == SequenceState.Ended || sequence.Times.Deadline <= now) _overdue.Add(sequence);
        foreach (var sequence in _overdue)
        {
            _timed.Remove(sequence);
            _ending.End(sequence, new AnswerEnd(FinishReason.Cancelled, Failures.DeadlineExceeded));
        }

        _overdue.Clear();
    }

    private void Started(Sequence sequence)
    {
        var now = _time.GetTimestamp();
        sequence.Times.Started = now;
        _places.Leave(sequence.Plan.CallerKey);
        _counters.Queued.Add(_time.GetElapsedTime(sequence.Times.Admitted, now));
        _counters.PromptTokens += sequence.PromptLength;
        _counters.CachedPromptTokens += sequence.CachedPromptTokens;
        if (_lastStart != 0)
        {
            // An eighth: about as many starts as a step has sequences decide it.
            var seconds = _time.GetElapsedTime(_lastStart, now).TotalSeconds;
            Volatile.Write(ref _secondsPerStart, _secondsPerStart == 0 ? seconds : _secondsPerStart + ((seconds - _secondsPerStart) / 8));
        }

        _lastStart = now;
    }

    private bool Step()
    {
        _plan.Choose(_residency.Running);
        _residency.Reserve();
        _plan.Build(_residency.Running);
        if (_plan.Members.Count == 0) return false;
        var began = _time.GetTimestamp();
        if (_logits.Length < _plan.Rows * _info.VocabularySize) _logits = GC.AllocateUninitializedArray<float>(_plan.Rows * _info.VocabularySize);
        try
        {
            _runtime.Step(_plan.Steps, _logits.AsSpan(0, _plan.Rows * _info.VocabularySize));
        }
        catch (Exception error)
        {
            StepFailed(error);
            return true;
        }

        _counters.Steps++;
        _counters.ComputedTokens += _plan.Tokens;
        _rows.Clear();
        foreach (var sequence in _plan.Members)
        {
            sequence.Pages.Advance(sequence.Pages.Cached + sequence.Planned, sequence.Tokens.Span);
            if (sequence.Uncached == 0) _rows.Add(sequence);
        }

        _sampling.Sample(_rows, _logits);
        foreach (var sequence in _rows) Chosen(sequence);
        _counters.StepTime.Add(_time.GetElapsedTime(began));
        return true;
    }

    private void Chosen(Sequence sequence)
    {
        // Not after its prompt alone: what breaks the runtime may be in the step after it.
        if (sequence.Planned == 1) sequence.IsAlone = false;
        var before = sequence.Count;
        var end = AnswerProgress.Accept(sequence);
        if (sequence.Count > before) Timed(sequence);
        if (end is { } reached) _ending.End(sequence, reached);
    }

    private void Timed(Sequence sequence)
    {
        var now = _time.GetTimestamp();
        var times = sequence.Times;
        _counters.CompletionTokens++;
        if (times.FirstToken == 0)
        {
            times.FirstToken = now;
            var first = _time.GetElapsedTime(times.Admitted, now);
            _counters.FirstToken.Add(first);
            _instruments.FirstToken(first);
        }
        else
        {
            var gap = _time.GetElapsedTime(times.LastToken, now);
            _counters.InterToken.Add(gap);
            _instruments.InterToken(gap);
        }

        times.LastToken = now;
    }

    /// <summary>The caches of everybody in the call are lost. Where they can be computed again, each is tried once more alone, so that one that breaks the runtime does not take its neighbours with it.</summary>
    private void StepFailed(Exception error)
    {
        _counters.FailedSteps++;
        Sequence[] members = [.. _plan.Members];
        foreach (var sequence in members)
        {
            if (members.Length > 1 && _residency.CanRecompute)
            {
                sequence.IsAlone = true;
                _residency.Preempt(sequence);
            }
            else
            {
                _ending.End(sequence, new AnswerEnd(FinishReason.Failed, Failures.Runtime(error)));
            }
        }
    }

    private void TryEndAll(AnswerEnd end)
    {
        try
        {
            EndAll(end);
        }
        catch (Exception)
        {
            // An exception that leaves this thread ends the process, and other models are served in it.
        }
    }

    private void EndAll(AnswerEnd end)
    {
        while (_inbox.TryDequeue(out var action)) action();
        Sequence[] all = [.. _residency.Running, .. _residency.Preempted, .. _slowed];
        foreach (var sequence in all) EndLast(sequence, end);
        while (_waiting.Peek(static _ => 0) is { } waiting) EndLast(waiting, end);
        Settle();
        _works.EndAll(end.Failure ?? Failures.Stopping);
        Show();
    }

    /// <summary>Where the structures contradict each other, memory may be lost; callers are told all the same.</summary>
    private void EndLast(Sequence sequence, AnswerEnd end)
    {
        try
        {
            _ending.End(sequence, end);
        }
        catch (Exception error)
        {
            sequence.State = SequenceState.Ended;
            _waiting.Remove(sequence);
            _ending.EndUnfreed(sequence, new AnswerEnd(FinishReason.Failed, Failures.Runtime(error)));
        }
    }

    private void Settle()
    {
        // Shown before callers are told, so that whoever was told finds the counts as they are: of heads, and of answers that have ended, some for want of a signature.
        Show();
        _ending.Sign();
        Show();
        _ending.Tell();
    }

    private void Show()
    {
        _counters.Running = _residency.Running.Count;
        _counters.Preempted = _residency.Preempted.Count;
        _counters.Preemptions = _residency.Preemptions;
        _counters.PagesHeld = Pool.Held;
        _counters.PagesCached = Pool.Cached;
    }
}
