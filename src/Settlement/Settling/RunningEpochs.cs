using System.Collections.Immutable;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>Which epochs sign in a log now, as far as this process can know.</summary>
internal abstract class RunningEpochs
{
    /// <summary>The epoch whose key signs checkpoints, and so is to be registered; null before one was announced.</summary>
    public abstract Epoch? Current { get; }

    /// <summary>Why nothing more may be signed; null while nothing was found.</summary>
    public abstract EpochHalt? Halt { get; }

    /// <summary>Whether something bad that this epoch signed is a reason to stop.</summary>
    public abstract bool MayHalt(in Hash256 epoch);
}

/// <summary>
/// The epochs of this engine's process: the first, and each that replaced another. A successor signs checkpoints from the
/// settler's next look on, never from the middle of one: a look that found the old key registered must not sign with the new.
/// A halt of any of them stops all: a rotation must not wash off what stopped the key before it.
/// </summary>
internal sealed class SigningEpochs(SettlementState state, ICheckpointSigner first) : RunningEpochs
{
    private readonly Lock _gate = new(); // guards the writing of _begun and _announced
    private volatile ICheckpointSigner _signer = first;
    private volatile ICheckpointSigner _announced = first;
    private volatile ImmutableHashSet<Hash256> _begun = [first.Epoch.Id];

    /// <summary>Whose key signs checkpoints. Changes between two looks alone.</summary>
    public ICheckpointSigner Signer => _signer;

    public override Epoch Current => _signer.Epoch;

    // Asked for every batch: no lock, and mostly there is no halt at all.
    public override EpochHalt? Halt
    {
        get
        {
            var halts = state.Halts;
            if (halts.Count == 0) return null;
            foreach (var (epoch, halt) in halts)
                if (_begun.Contains(epoch)) return halt;
            return null;
        }
    }

    public override bool MayHalt(in Hash256 epoch) => _begun.Contains(epoch);

    /// <summary>This epoch is in the journal: it signs checkpoints from the next look on.</summary>
    public void Begin(ICheckpointSigner successor)
    {
        lock (_gate) (_begun, _announced) = (_begun.Add(successor.Epoch.Id), successor);
    }

    /// <summary>At the beginning of a look; by the settler alone.</summary>
    public void TakeOver() => _signer = _announced;
}

/// <summary>
/// The epochs of another process's engine, as its journal tells: the newest is its running one. Which of the others are of the
/// same process nobody knows here, so each may be halted, and the engine judges which halts are its own.
/// </summary>
internal sealed class JournaledEpochs(SettlementState state) : RunningEpochs
{
    public override Epoch? Current => state.Locked(view => view.NewestEpoch);

    public override EpochHalt? Halt => Current is { } newest ? state.Halts.GetValueOrDefault(newest.Id) : null;

    public override bool MayHalt(in Hash256 epoch)
    {
        var id = epoch;
        return state.Locked(view => view.Epochs.ContainsKey(id));
    }
}
