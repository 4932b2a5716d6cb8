using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement;

namespace OpenGradient.Engine.Hosting.Epochs;

/// <summary>What a rotation needs. Nothing of it is disposed by it but the epochs that it opens.</summary>
public sealed record RotationParts
{
    public required KeyEpochs Keys { get; init; }

    public required EpochSource Source { get; init; }

    /// <summary>Announces and registers epochs; null without a chain.</summary>
    public SettlementService? Settlement { get; init; }

    /// <summary>Given an epoch before anything is signed with it, so that its statements are known; says why its evidence is not accepted, or nothing.</summary>
    public Func<Epoch, string?> Learn { get; init; } = _ => null;

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}

/// <summary>
/// Replaces the signing key. Read <see cref="RotateAsync"/> top to bottom; a crash leaves, in this order: nothing; an announced
/// epoch that never signed; one that signed and is registered by nobody, whose statements the next start's epoch anchors; two
/// keys, both gone with the process. One rotation at a time, and none while the key before the last one is still there.
/// </summary>
public sealed class EpochRotation : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    // What failed is tried again; sooner would fill the log of whoever watches, later would leave an old key for long.
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    // Longer than a node or a disk that still works takes.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly RotationOptions _options;
    private readonly RotationParts _parts;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly long[] _rotations = new long[Enum.GetValues<RotationReason>().Length];

    // Guarded by the gate. Opened, and perhaps announced: the journal may hold it although it did not say so, and then no
    // other epoch may be announced in its place.
    private EnclaveEpoch? _prepared;
    private long _rotatedAt;
    private long? _failedAt;
    private volatile string? _trouble;

    public EpochRotation(RotationOptions options, RotationParts parts) => (_options, _parts) = (options, parts);

    /// <summary>A key was replaced. Raised on the thread that rotated; a handler must not throw.</summary>
    public event Action<RotationReason, EpochStatus>? Rotated;

    public RotationOptions Options => _options;

    /// <summary>Why the last rotation that was due failed; null when it did not. It is tried again by itself.</summary>
    public string? Trouble => _trouble;

    /// <summary>How often a key was replaced since the process began.</summary>
    public long Rotations(RotationReason reason) => Interlocked.Read(ref _rotations[(int)reason]);

    /// <summary>Rotates when it is due, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            await Task.Delay(Pause, _parts.Clock, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!cancellation.IsCancellationRequested) await TickAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>One look: zeroes a key whose time is over, and rotates if that is due.</summary>
    public async Task TickAsync(CancellationToken cancellation)
    {
        await _gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            EndOverdue();
            if (Due() is not { } reason) return;
            var outcome = await ReplaceAsync(reason, cancellation).ConfigureAwait(false);
            _failedAt = outcome.Begun is null ? _parts.Clock.GetTimestamp() : null;
            _trouble = outcome.Refusal;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Replaces the key now, because somebody asks for it.</summary>
    public async Task<RotationOutcome> RotateAsync(CancellationToken cancellation)
    {
        await _gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            EndOverdue();
            if (_parts.Keys.Retiring is { } retiring)
                return RotationOutcome.Refused($"epoch {retiring.Number} was replaced {Math.Round(_parts.Clock.GetElapsedTime(_rotatedAt).TotalSeconds)} s ago, and its key is still there: a rotation is possible {Math.Round(_options.Overlap.TotalSeconds)} s after the last");
            // A restart is what ends a halt: a new key in the same process would go on with whatever made the old one sign something false.
            if (_parts.Keys.IsHalted) return RotationOutcome.Refused("a key of this process was stopped: a restart begins a new epoch");
            var outcome = await ReplaceAsync(RotationReason.Asked, cancellation).ConfigureAwait(false);
            if (outcome.Begun is not null) (_failedAt, _trouble) = (null, null);
            return outcome;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Zeroes a key that was opened and never signed. Cancel and await <see cref="RunAsync"/> first.</summary>
    public void Dispose()
    {
        _prepared?.Dispose();
        _gate.Dispose();
    }

    private RotationReason? Due()
    {
        if (_parts.Keys.Retiring is not null || _parts.Keys.IsHalted) return null;
        if (_failedAt is { } failed && _parts.Clock.GetElapsedTime(failed) < RetryAfter) return null;
        var status = _parts.Keys.Status;
        if (status.Statements >= _options.AfterStatements) return RotationReason.Statements;
        return status.Age >= _options.After ? RotationReason.Age : null;
    }

    private async Task<RotationOutcome> ReplaceAsync(RotationReason reason, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(Limit, _parts.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            // A crash from here on leaves nothing: nobody has heard of this key.
            _prepared ??= await _parts.Source.NextAsync(both.Token).ConfigureAwait(false);
            if (_parts.Learn(_prepared.Epoch) is { } refusal)
            {
                Forget();
                return RotationOutcome.Refused($"the new epoch's evidence is not accepted here: {refusal}");
            }

            // In the journal before anything is signed: a statement never comes before its epoch.
            if (_parts.Settlement is { } settlement) await settlement.BeginEpochAsync(_prepared, both.Token).ConfigureAwait(false);
            var begun = _parts.Keys.Replace(_prepared);
            (_prepared, _rotatedAt) = (null, _parts.Clock.GetTimestamp());
            Interlocked.Increment(ref _rotations[(int)reason]);
            Rotated?.Invoke(reason, begun);
            return new RotationOutcome(begun, null);
        }
        catch (Exception failure) when (failure is AttestationException or EpochUnavailableException or IOException)
        {
            return RotationOutcome.Refused(failure.Message);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return RotationOutcome.Refused($"the chain or the journal did not answer within {Limit.TotalSeconds:0} s");
        }
    }

    // Once an epoch may be in the journal it is announced or nobody is; this one was not offered to it.
    private void Forget()
    {
        _prepared?.Dispose();
        _prepared = null;
    }

    // The key stays for longer than the overlap where settlement has not looked at the chain since: its checkpoints are still that key's.
    private void EndOverdue()
    {
        if (_parts.Keys.Retiring is not { } retiring || _parts.Clock.GetElapsedTime(_rotatedAt) < _options.Overlap) return;
        if (_parts.Settlement?.SigningEpoch.Id == retiring.Epoch.Id) return;
        _parts.Keys.EndRetiring();
    }
}
