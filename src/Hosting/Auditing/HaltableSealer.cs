using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement;

namespace OpenGradient.Engine.Hosting.Auditing;

/// <summary>Seals until the epoch is halted, and then nothing more: an answer under that key would be worth as little as what stopped it.</summary>
public sealed class HaltableSealer(IBatchSealer sealer, Hash256 epoch, SettlementAudits audits) : IBatchSealer
{
    /// <inheritdoc/>
    /// <exception cref="EpochHaltedException">The epoch was halted.</exception>
    public SealedBatch Seal(in BatchToSeal batch) => audits.HaltOf(epoch) is null
        ? sealer.Seal(batch)
        : throw new EpochHaltedException("this host's signing key was stopped because something that it signed did not hold; its operator has to restart it");
}
