using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Postgres;

/// <summary>
/// Records on their way into one transaction. Each has a name under which the database stores it once, so that a group
/// whose fate is unknown can be offered again. Owned by the outbox's writer.
/// </summary>
internal sealed class JournalGroup
{
    private readonly List<Item> _items;

    public JournalGroup(IEnumerable<OutboxRecord> records, RecordNames names)
    {
        _items = [];
        var seen = new HashSet<Hash256>();
        foreach (var record in records)
        {
            var payload = new byte[record.Length];
            record.Write(payload);
            var name = record.Name is { } given ? given.ToArray() : names.Next();
            var twin = record.Name is { } once && !seen.Add(once) ? _items.Find(item => item.Once.AsSpan().SequenceEqual(name)) : null;
            if (twin is not null) twin.Twins.Add(record);
            else _items.Add(new Item(record, name, payload));
        }
    }

    public bool IsEmpty => _items.Count == 0;

    public int Count => _items.Count;

    public IReadOnlyList<Item> Items => _items;

    /// <summary>Tells those whose ground has changed; they leave.</summary>
    public void DropStale() => Leave(item => !item.Record.Holds, new AppendOutcome(AppendStatus.Stale, default, "what the record was made from has changed"));

    /// <summary>The item of this name, when it is one of ours.</summary>
    public Item? Find(ReadOnlySpan<byte> once)
    {
        foreach (var item in _items)
            if (once.SequenceEqual(item.Once)) return item;
        return null;
    }

    /// <summary>It is durable at this position, and applied here.</summary>
    public void Settle(Item item, RecordPosition position, IRecordSink sink)
    {
        _items.Remove(item);
        item.Apply(sink, position);
        item.Complete(new AppendOutcome(AppendStatus.Durable, position, null));
    }

    /// <summary>All of it is durable from this sequence number on: applied in order first, told then.</summary>
    public void SettleAll(long first, IRecordSink sink)
    {
        for (var i = 0; i < _items.Count; i++) _items[i].Apply(sink, JournalTable.PositionOf(first + i));
        for (var i = 0; i < _items.Count; i++) _items[i].Complete(new AppendOutcome(AppendStatus.Durable, JournalTable.PositionOf(first + i), null));
        _items.Clear();
    }

    /// <summary>None of it will be stored, or nobody knows.</summary>
    public void GiveUp(AppendOutcome outcome) => Leave(_ => true, outcome);

    private void Leave(Predicate<Item> leaves, AppendOutcome outcome) => _items.RemoveAll(item =>
    {
        if (!leaves(item)) return false;
        item.Complete(outcome);
        return true;
    });

    internal sealed class Item(OutboxRecord record, byte[] once, byte[] payload)
    {
        public OutboxRecord Record => record;

        public byte[] Once => once;

        public byte[] Payload => payload;

        /// <summary>Others of the same name in the same group.</summary>
        public List<OutboxRecord> Twins { get; } = [];

        public void Apply(IRecordSink sink, RecordPosition position)
        {
            record.Apply(sink, position, payload);
            foreach (var twin in Twins) twin.Apply(sink, position, payload);
        }

        public void Complete(AppendOutcome outcome)
        {
            record.Complete(outcome);
            foreach (var twin in Twins) twin.Complete(outcome);
        }
    }
}

/// <summary>Names for records that have none of their own: 8 random bytes of this life of the process and a number.</summary>
internal sealed class RecordNames
{
    private readonly byte[] _life = System.Security.Cryptography.RandomNumberGenerator.GetBytes(8);
    private ulong _next;

    public byte[] Next()
    {
        var name = new byte[16];
        _life.CopyTo(name, 0);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(name.AsSpan(8), _next++);
        return name;
    }
}
