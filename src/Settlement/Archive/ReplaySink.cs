using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>Applies records to the state; while the journal is read back, it lets the archive keep up with them.</summary>
internal sealed class ReplaySink(SettlementState state, Action catchUp) : IRecordSink
{
    private const int Pace = 4096; // records between two looks: little beside the records themselves

    /// <summary>Read back.</summary>
    public long Records { get; private set; }

    /// <summary>The journal has been read back.</summary>
    public bool IsLive { get; set; }

    public void Apply(RecordPosition position, byte type, ReadOnlySpan<byte> payload)
    {
        state.Apply(position, type, payload);
        if (!IsLive && ++Records % Pace == 0) catchUp();
    }
}
