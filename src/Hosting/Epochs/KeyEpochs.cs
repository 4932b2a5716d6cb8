using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement;

namespace OpenGradient.Engine.Hosting.Epochs;

/// <summary>
/// The keys of this process: the one that signs and, for a while after a rotation, the one before it. A batch is sealed by the
/// key under which it began. Safe for concurrent calls; replaced by one <see cref="EpochRotation"/>. Disposing zeroes both keys.
/// </summary>
public sealed class KeyEpochs : IBatchSealer, IDisposable
{
    // The evidence of so many is at hand without a journal: with one a day, three years.
    private const int MaxKnown = 1024;

    private readonly TimeProvider _clock;
    private readonly SettlementAudits? _audits;
    private readonly Lock _gate = new(); // guards every write of what follows, and _known
    private readonly Queue<Epoch> _known = new();
    private volatile SealingEpoch _current;
    private volatile SealingEpoch? _retiring;
    private ChainView? _view;
    private long _number;
    private bool _disposed;

    /// <param name="first">Disposed with this.</param>
    /// <param name="number">Its place among the log's epochs, from 1.</param>
    /// <param name="audits">Says when a key was stopped; null without settlement.</param>
    public KeyEpochs(EnclaveEpoch first, long number, SettlementAudits? audits, TimeProvider clock)
    {
        (_clock, _audits, _number) = (clock, audits, number);
        _current = new SealingEpoch(this, first, number, clock);
        _known.Enqueue(first.Epoch);
    }

    /// <summary>The epoch that signs what begins now.</summary>
    public EnclaveEpoch Current => _current.Epoch;

    public EpochStatus Status => _current.Status;

    /// <summary>The epoch that was replaced last and whose key is still there; null when only one is.</summary>
    public EpochStatus? Retiring => _retiring?.Status;

    /// <summary>Whether a key of this process was stopped: nothing is sealed until a restart.</summary>
    public bool IsHalted => _audits?.Halted is not null;

    /// <inheritdoc/>
    /// <exception cref="EpochHaltedException">A key of this process was stopped.</exception>
    public SealedBatch Seal(in BatchToSeal batch) => _current.Seal(batch);

    /// <inheritdoc/>
    public IBatchSealer ForBatch() => _current;

    /// <summary>One of this process's epochs, also after its key is gone; null for another.</summary>
    public Epoch? Find(in Hash256 id)
    {
        lock (_gate)
        {
            foreach (var epoch in _known)
                if (epoch.Id == id) return epoch;
        }

        return null;
    }

    /// <summary>The newest block seen; statements sealed from now on say so. Null: none.</summary>
    public void UpdateChainView(ChainView? view)
    {
        lock (_gate)
        {
            _view = view;
            _current.Epoch.UpdateChainView(view);
            _retiring?.Epoch.UpdateChainView(view);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _current.Epoch.Dispose();
            _retiring?.End();
        }
    }

    internal void RefuseIfHalted()
    {
        if (IsHalted) throw new EpochHaltedException("this host's signing key was stopped because something that it signed did not hold; its operator has to restart it");
    }

    /// <summary>The successor signs what begins from now on. The one before it must have been ended.</summary>
    /// <exception cref="ObjectDisposedException">The host is stopping; the successor stays the caller's.</exception>
    internal EpochStatus Replace(EnclaveEpoch successor)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_retiring is not null) throw new InvalidOperationException("the key before is still there");
            successor.UpdateChainView(_view);
            _known.Enqueue(successor.Epoch);
            if (_known.Count > MaxKnown) _known.Dequeue();
            (_retiring, _current) = (_current, new SealingEpoch(this, successor, ++_number, _clock));
            return _current.Status;
        }
    }

    /// <summary>Zeroes the key that was replaced.</summary>
    internal void EndRetiring()
    {
        lock (_gate)
        {
            _retiring?.End();
            _retiring = null;
        }
    }
}
