using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>
/// Records whose effect a snapshot has no place of its own for: kept as they are and applied again after a snapshot was
/// taken over. So a record type that comes later is never lost, at the price of its bytes. Guarded by the state's lock.
/// </summary>
internal sealed class CarriedRecords
{
    private readonly List<CarriedRecord> _records = [];

    public void Keep(RecordPosition position, byte type, ReadOnlySpan<byte> payload)
    {
        if (!HasAPart(type)) _records.Add(new(position, type, payload.ToArray()));
    }

    // All that these say is in statements, operations, epochs, spending and the tree.
    private static bool HasAPart(byte type) => type is (>= RecordType.Statement and <= RecordType.Batch) or RecordType.Spent or RecordType.Dated or RecordType.Cosigned;

    public CarriedRecord[] ToArray() => [.. _records];
}

internal readonly record struct CarriedRecord(RecordPosition Position, byte Type, byte[] Payload);
