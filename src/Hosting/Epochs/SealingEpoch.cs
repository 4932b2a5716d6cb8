using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Hosting.Epochs;

/// <summary>Seals under one key while that is there, and under its successor afterwards: a batch that took longer than the overlap loses nothing.</summary>
internal sealed class SealingEpoch(KeyEpochs keys, EnclaveEpoch epoch, long number, TimeProvider clock) : IBatchSealer
{
    private readonly DateTimeOffset _begun = clock.GetUtcNow();
    private readonly long _begunAt = clock.GetTimestamp();
    private long _statements;
    private volatile bool _ended;

    public EnclaveEpoch Epoch => epoch;

    public EpochStatus Status => new(epoch.Epoch, number, _begun, clock.GetElapsedTime(_begunAt), Interlocked.Read(ref _statements));

    public SealedBatch Seal(in BatchToSeal batch)
    {
        keys.RefuseIfHalted();
        if (!_ended)
        {
            try
            {
                var made = epoch.Seal(batch);
                Interlocked.Increment(ref _statements);
                return made;
            }
            catch (ObjectDisposedException) when (_ended)
            {
                // Ended between the look and the call: nothing was signed.
            }
        }

        return keys.Seal(batch);
    }

    /// <summary>Zeroes the key as soon as the calls that are inside the shim have returned. Only for a key that has a successor.</summary>
    public void End()
    {
        _ended = true;
        epoch.Dispose();
    }
}
