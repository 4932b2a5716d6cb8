using Npgsql;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Postgres;

/// <summary>
/// How far this process is in a log's journal, and the connection by which it reads on and writes right behind that.
/// Whatever it learns goes to the sink in the journal's order. Used by one thread at a time.
/// </summary>
internal sealed class JournalCursor(PostgresDatabase database, JournalTable table, IRecordSink sink, PayloadCache cache, Action changed)
{
    private NpgsqlConnection? _connection;
    private long _applied;
    private byte[] _lastName = [];

    private NpgsqlConnection Connection => _connection ?? throw new InvalidOperationException("not connected");

    /// <summary>Makes sure of a connection. A new one may lead to another server, or to the same one restored from a copy: it must know what was applied here.</summary>
    /// <exception cref="OutboxDamagedException">It does not.</exception>
    public void Connect(JournalGroup group)
    {
        if (_connection is not null) return;
        _connection = database.Connect();
        var next = table.NextSeq(_connection);
        if (_applied > 0 && (next <= _applied || !table.ReadOne(_connection, _applied).Once.AsSpan().SequenceEqual(_lastName))) throw Forgotten();
        CatchUp(group);
        if (_applied + 1 < next) throw table.Damaged(_applied + 1, $"it is missing, and so is every record up to {next - 1}");
    }

    public void Disconnect()
    {
        try
        {
            _connection?.Dispose();
        }
#pragma warning disable CA1031 // It is being given up, whatever it says.
        catch (Exception)
#pragma warning restore CA1031
        {
            // Broken already.
        }

        _connection = null;
    }

    /// <summary>Applies what is durable and not yet applied, be it others' or this group's own; returns how many records.</summary>
    public int CatchUp(JournalGroup group)
    {
        var others = false;
        var read = table.Read(Connection, _applied, row =>
        {
            if (group.Find(row.Once) is { } own)
            {
                group.Settle(own, JournalTable.PositionOf(row.Seq), sink);
            }
            else
            {
                sink.Apply(JournalTable.PositionOf(row.Seq), row.Type, row.Payload);
                others = true;
            }

            (_applied, _lastName) = (row.Seq, row.Once);
            cache.Add(row.Seq, row.Payload);
        });
        if (others) changed();
        return read;
    }

    /// <summary>Stores and settles the group; false when nothing was stored, because the lease is another's or the journal has grown.</summary>
    public bool Store(PostgresLease lease, JournalGroup group)
    {
        var first = _applied + 1;
        if (!table.Append(Connection, lease, first, group)) return false;
        Settled(first, group);
        return true;
    }

    /// <summary>The same while nobody else can write, after catching up; true also when nothing is left to store.</summary>
    public bool StoreLocked(PostgresLease lease, JournalGroup group)
    {
        using var transaction = Connection.BeginTransaction();
        if (!table.Lock(Connection, lease)) return false;
        CatchUp(group);
        group.DropStale();
        var first = _applied + 1;
        if (group.IsEmpty || !table.Append(Connection, lease, first, group)) return group.IsEmpty;
        transaction.Commit();
        Settled(first, group);
        return true;
    }

    /// <summary>Settles what is stored already: by an attempt whose answer was lost, or by an earlier record of the same name.</summary>
    public void SettleStored(JournalGroup group)
    {
        CatchUp(group);
        foreach (var (name, seq) in table.Stored(Connection, [.. group.Items.Select(item => item.Once)]))
            if (seq <= _applied && group.Find(name) is { } item) group.Settle(item, JournalTable.PositionOf(seq), sink);
    }

    public bool Holds(PostgresLease lease) => JournalTable.Holds(Connection, lease);

    /// <exception cref="OutboxDamagedException">The journal ends before what was applied here.</exception>
    public void RefuseForgotten()
    {
        if (table.NextSeq(Connection) <= _applied) throw Forgotten();
    }

    private void Settled(long first, JournalGroup group)
    {
        _lastName = group.Items[^1].Once;
        for (var i = 0; i < group.Count; i++) cache.Add(first + i, group.Items[i].Payload);
        _applied = first + group.Count - 1;
        group.SettleAll(first, sink);
    }

    private OutboxDamagedException Forgotten() => table.Damaged(_applied, "this process has applied it, but the database no longer holds it: an old copy was restored, or a standby took over that had not received it");
}
