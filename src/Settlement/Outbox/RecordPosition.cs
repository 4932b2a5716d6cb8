namespace OpenGradient.Engine.Settlement.Outbox;

/// <summary>Where a record lies: segment number and the offset of its frame.</summary>
public readonly record struct RecordPosition(uint Segment, uint Offset)
{
    public override string ToString() => $"segment {Segment}, offset {Offset}";
}
