using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Serving;

namespace OpenGradient.Engine.Determinism;

/// <summary>
/// Executes a sampled row of one model again, behind its answer, and compares bits: class A alone under its padding rule,
/// class B at the same slot of the same batch size among dummy neighbours. One at a time, with an executor and buffers of its
/// own. A worker fills it while the batch's memory is still lent; it runs once the batch's callers have been completed.
/// </summary>
#pragma warning disable CA1001 // TryDisposeAsync disposes, unless a comparison does not end.
internal sealed class RowRecheck : IThreadPoolWorkItem
#pragma warning restore CA1001
{
    // What a semaphore can wait.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(24);

    private readonly ModelLane _lane;
    private readonly IReadOnlyList<string> _outputNames;
    private readonly RowExecution _execution;

    // Held from taking a row until its comparison ends, and for good once disposed.
    private readonly SemaphoreSlim _free = new(1, 1);
    private readonly long[][] _shapes;
    private readonly byte[][] _inputs;
    private readonly RowTensor[] _tensors;
    private readonly byte[][] _answers;
    private readonly int[] _answerBytes;
    private int _rows;
    private int _batchRows;
    private int _slot;
    private bool _sliced;

    // Guards the two below: the watchdog must never stop the call after the one it saw.
    private readonly Lock _gate = new();
    private long _runningSince;
    private bool _running;
    private long _compared;
    private long _mismatches;

    public RowRecheck(ModelLane lane, IBackendModel model)
    {
        _lane = lane;
        _outputNames = [.. model.Outputs.Select(spec => spec.Name)];
        _execution = new RowExecution(model);
        _shapes = [.. model.Inputs.Select(spec => new long[spec.Rank])];
        _inputs = [.. model.Inputs.Select(_ => Array.Empty<byte>())];
        _tensors = new RowTensor[model.Inputs.Count];
        _answers = [.. model.Outputs.Select(_ => Array.Empty<byte>())];
        _answerBytes = new int[model.Outputs.Count];
    }

    /// <summary>Rows executed again and compared.</summary>
    public long Compared => Volatile.Read(ref _compared);

    /// <summary>Of these, rows whose bits were others.</summary>
    public long Mismatches => Volatile.Read(ref _mismatches);

    /// <summary>Whether the model's class still promises something to compare.</summary>
    public bool IsWanted => _lane.Info.Context.Determinism is DeterminismClass.A or DeterminismClass.B;

    /// <summary>Copies a row and its answer. False when the one before is not done yet. <see cref="Launch"/> must follow.</summary>
    /// <param name="row">Which of the request's rows; ignored where outputs are not divided by rows and all of them are taken.</param>
    public bool TryTake(PendingRequest request, int row, ExecutionBuffers buffers, bool sliced)
    {
        if (!_free.Wait(0)) return false;
        _sliced = sliced;
        _rows = sliced ? 1 : request.Rows;
        _batchRows = buffers.Rows;
        _slot = sliced ? request.FirstSlot + row : 0;
        for (var i = 0; i < _inputs.Length; i++)
        {
            var all = request.Sources[i].Bytes;
            var size = all.Length / request.Rows * _rows;
            Keep(ref _inputs[i], sliced ? all.Slice(size * row, size) : all);
            request.Dimensions.AsSpan(_lane.Shape.Starts[i], _shapes[i].Length).CopyTo(_shapes[i]);
            if (_lane.Shape.HasRows) _shapes[i][0] = _rows;
            _tensors[i] = new RowTensor(_shapes[i], _inputs[i].AsMemory(0, size));
        }

        KeepAnswers(buffers, sliced);
        return true;
    }

    /// <summary>Queues the comparison.</summary>
    public void Launch() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    void IThreadPoolWorkItem.Execute()
    {
        try
        {
            Compare();
        }
        catch (Exception error)
        {
            // On a pool thread it would end the process, memory that ran out too; the answer left long ago.
            _lane.Health.Report("re-execution", ModelHealth.Degraded, $"rows cannot be executed again: {error.Message}");
        }
        finally
        {
            _free.Release();
        }
    }

    public void TerminateIfOverdue(long now, long limit)
    {
        lock (_gate)
            if (_running && now - _runningSince >= limit) _execution.Terminate();
    }

    /// <summary>Waits for the comparison that runs; none begins after. False when it does not end although it was stopped: what it uses is then left to it.</summary>
    public async ValueTask<bool> TryDisposeAsync()
    {
        var options = _lane.Info.Options;
        var limit = options.ExecutionTimeout + options.TerminationGrace;
        if (!await _free.WaitAsync(limit < LongestWait ? limit : LongestWait).ConfigureAwait(false)) return false;
        _execution.Dispose();
        return true;
    }

    private void Compare()
    {
        var context = _lane.Info.Context;
        var isA = context.Determinism == DeterminismClass.A;
        // The outputs of a whole batch are those of its request: padded by zeros as it was, there is nothing to vary.
        var alone = isA && _execution.HasRows;
        var fault = alone
            ? Execute(PaddingRule.Of(context).RowsFor(_rows), 0, Neighbours.Zero)
            : ExecuteInPlace();
        if (fault is not null)
        {
            // Stopped at its limit, or dummies that the model refuses: nothing was learnt.
            return;
        }

        Interlocked.Increment(ref _compared);
        if (Differs() is not { } output) return;
        Interlocked.Increment(ref _mismatches);
        // What A promised too much may still hold for B: the same place, other neighbours.
        var holdsInPlace = isA && ExecuteInPlace() is null && Differs() is null;
        var how = alone ? "alone" : $"at slot {_slot} of {_batchRows} among other neighbours";
        _lane.Demote(
            holdsInPlace ? DeterminismClass.B : DeterminismClass.U,
            $"output '{output}' of a row answered at slot {_slot} of a batch of {_batchRows} has other bits when it is executed again {how}");
    }

    private BackendFault? ExecuteInPlace()
    {
        var fault = Execute(_batchRows, _slot, Neighbours.Zero);
        // Zeros may be what the model refuses; this row it took before.
        return fault is not null && _sliced ? Execute(_batchRows, _slot, Neighbours.Copies) : fault;
    }

    private BackendFault? Execute(int batchRows, int slot, Neighbours neighbours)
    {
        lock (_gate)
        {
            _runningSince = _lane.Services.Time.GetTimestamp();
            _running = true;
        }

        try
        {
            return _execution.Execute(_tensors, _rows, batchRows, slot, neighbours);
        }
        finally
        {
            lock (_gate)
            {
                _running = false;
                _execution.ClearTermination();
            }
        }
    }

    private string? Differs()
    {
        for (var i = 0; i < _answers.Length; i++)
            if (!_execution.OutputBytes(i).SequenceEqual(_answers[i].AsSpan(0, _answerBytes[i]))) return _outputNames[i];
        return null;
    }

    private unsafe void KeepAnswers(ExecutionBuffers buffers, bool sliced)
    {
        for (var i = 0; i < _answers.Length; i++)
        {
            var (start, length) = BatchLayout.Slice(buffers, i, _slot, _rows, sliced);
            _answerBytes[i] = checked((int)length);
            Keep(ref _answers[i], new ReadOnlySpan<byte>((byte*)buffers.OutputData[i] + start, _answerBytes[i]));
        }
    }

    private static void Keep(ref byte[] kept, ReadOnlySpan<byte> bytes)
    {
        if (kept.Length < bytes.Length) kept = GC.AllocateUninitializedArray<byte>(bytes.Length);
        bytes.CopyTo(kept);
    }
}
