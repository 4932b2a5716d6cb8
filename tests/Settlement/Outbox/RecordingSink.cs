using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Tests.Outbox;

internal sealed class RecordingSink : IRecordSink
{
    public List<(RecordPosition Position, byte Type, byte[] Payload)> Records { get; } = [];

    public IEnumerable<int> Numbers => Records.Select(record => BitConverter.ToInt32(record.Payload));

    public void Apply(RecordPosition position, byte type, ReadOnlySpan<byte> payload) => Records.Add((position, type, payload.ToArray()));
}
