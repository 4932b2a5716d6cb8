using Npgsql;
using NpgsqlTypes;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Postgres;

/// <summary>A record as the database keeps it.</summary>
internal readonly record struct JournalRow(long Seq, byte Type, byte[] Once, byte[] Payload);

/// <summary>One log's journal in the database. Sequence numbers begin at 1 and have no gaps: an append takes the log's row, so records become visible in order.</summary>
internal sealed class JournalTable(int log, Hash256 logId)
{
    private const int PageRows = 1024;

    public int Log => log;

    public Hash256 LogId => logId;

    /// <summary>The journal of this log; made when asked, otherwise null where there is none.</summary>
    public static JournalTable? Find(NpgsqlConnection connection, Hash256 logId, bool create)
    {
        if (create) Execute(connection, "INSERT INTO og_log (log_id) VALUES ($1) ON CONFLICT (log_id) DO NOTHING", Bytes(logId.ToArray()));
        using var ask = Command(connection, "SELECT log FROM og_log WHERE log_id = $1", Bytes(logId.ToArray()));
        return ask.ExecuteScalar() is int log ? new JournalTable(log, logId) : null;
    }

    public static List<Hash256> Logs(NpgsqlConnection connection)
    {
        using var ask = Command(connection, "SELECT log_id FROM og_log ORDER BY log");
        using var answer = ask.ExecuteReader();
        var logs = new List<Hash256>();
        while (answer.Read()) logs.Add(new Hash256(answer.GetFieldValue<byte[]>(0)));
        return logs;
    }

    public static RecordPosition PositionOf(long seq) => new((uint)(seq >> 32), (uint)seq);

    public static long SeqOf(RecordPosition position) => ((long)position.Segment << 32) | position.Offset;

    public long NextSeq(NpgsqlConnection connection)
    {
        using var ask = Command(connection, "SELECT next_seq FROM og_log WHERE log = $1", Number(log));
        return ask.ExecuteScalar() is long next ? next : throw Damaged(0, "the log's row is missing");
    }

    /// <summary>Stores the group behind everything that is applied, in one statement and one round trip; false when nothing was stored, because the lease is another's or the journal has grown.</summary>
    public bool Append(NpgsqlConnection connection, PostgresLease lease, long first, JournalGroup group)
    {
        // The lease's row is locked against a successor until the commit; the log's row orders all writers.
        const string append = """
            WITH lease AS (SELECT 1 FROM og_lease WHERE name = $1 AND fence = $2 FOR SHARE),
            head AS (UPDATE og_log SET next_seq = $4 + $5 WHERE log = $3 AND next_seq = $4 AND EXISTS (SELECT 1 FROM lease) RETURNING 1)
            INSERT INTO og_journal (log, seq, type, once, crc, payload)
            SELECT $3, $4 + given.number - 1, given.type, given.once, given.crc, given.payload
            FROM head, unnest($6, $7, $8, $9) WITH ORDINALITY AS given (type, once, crc, payload, number)
            """;
        var items = group.Items;
        var (types, names, sums, payloads) = (new short[items.Count], new byte[items.Count][], new int[items.Count], new byte[items.Count][]);
        for (var i = 0; i < items.Count; i++)
            (types[i], names[i], sums[i], payloads[i]) = (items[i].Record.Type, items[i].Once, Checksum(first + i, items[i].Record.Type, items[i].Once, items[i].Payload), items[i].Payload);
        using var command = Command(
            connection, append, Text(lease.Name), Number(lease.Fence), Number(log), Number(first), Number((long)items.Count),
            Array(types, NpgsqlDbType.Smallint), Array(names, NpgsqlDbType.Bytea), Array(sums, NpgsqlDbType.Integer), Array(payloads, NpgsqlDbType.Bytea));
        return command.ExecuteNonQuery() == items.Count;
    }

    /// <summary>Waits until nobody else writes this log, for the rest of the transaction; false when the lease is another's.</summary>
    public bool Lock(NpgsqlConnection connection, PostgresLease lease)
    {
        if (!Holds(connection, lease, " FOR SHARE")) return false;
        Execute(connection, "SELECT 1 FROM og_log WHERE log = $1 FOR UPDATE", Number(log));
        return true;
    }

    public static bool Holds(NpgsqlConnection connection, PostgresLease lease, string locking = "")
    {
        using var ask = Command(connection, "SELECT 1 FROM og_lease WHERE name = $1 AND fence = $2" + locking, Text(lease.Name), Number(lease.Fence));
        return ask.ExecuteScalar() is not null;
    }

    /// <summary>Hands on every record behind the given one, in order; returns how many.</summary>
    /// <exception cref="OutboxDamagedException">A record is missing or altered.</exception>
    public int Read(NpgsqlConnection connection, long after, Action<JournalRow> each)
    {
        var total = 0;
        while (true)
        {
            var page = 0;
            using var ask = Command(connection, $"SELECT seq, type, once, crc, payload FROM og_journal WHERE log = $1 AND seq > $2 ORDER BY seq LIMIT {PageRows}", Number(log), Number(after));
            using (var answer = ask.ExecuteReader())
            {
                while (answer.Read())
                {
                    var row = Checked(answer);
                    if (row.Seq != after + 1) throw Damaged(after + 1, $"it is missing; record {row.Seq} is there");
                    after = row.Seq;
                    page++;
                    each(row);
                }
            }

            total += page;
            if (page < PageRows) return total;
        }
    }

    /// <exception cref="OutboxDamagedException">It is missing or altered.</exception>
    public JournalRow ReadOne(NpgsqlConnection connection, long seq)
    {
        using var ask = Command(connection, "SELECT seq, type, once, crc, payload FROM og_journal WHERE log = $1 AND seq = $2", Number(log), Number(seq));
        using var answer = ask.ExecuteReader();
        return answer.Read() ? Checked(answer) : throw Damaged(seq, "it is missing");
    }

    /// <summary>Where records of these names lie already.</summary>
    public List<(byte[] Once, long Seq)> Stored(NpgsqlConnection connection, byte[][] names)
    {
        using var ask = Command(connection, "SELECT once, seq FROM og_journal WHERE log = $1 AND once = ANY ($2)", Number(log), Array(names, NpgsqlDbType.Bytea));
        using var answer = ask.ExecuteReader();
        var stored = new List<(byte[], long)>();
        while (answer.Read()) stored.Add((answer.GetFieldValue<byte[]>(0), answer.GetInt64(1)));
        return stored;
    }

    public OutboxDamagedException Damaged(long seq, string what) => OutboxDamagedException.InDatabase(logId, seq, PositionOf(seq), what);

    private JournalRow Checked(NpgsqlDataReader answer)
    {
        var row = new JournalRow(answer.GetInt64(0), (byte)answer.GetInt16(1), answer.GetFieldValue<byte[]>(2), answer.GetFieldValue<byte[]>(4));
        return answer.GetInt32(3) == Checksum(row.Seq, row.Type, row.Once, row.Payload) ? row : throw Damaged(row.Seq, "its checksum does not hold");
    }

    // CRC32C over the sequence number, type, name and payload: what a row must not exchange with another.
    private static int Checksum(long seq, byte type, ReadOnlySpan<byte> once, ReadOnlySpan<byte> payload) =>
        unchecked((int)Crc.Finish(Crc.Add(Crc.Add(Crc.Add(Crc.Start((ulong)seq), [type]), once), payload)));

    private static NpgsqlCommand Command(NpgsqlConnection connection, string text, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlCommand(text, connection);
        foreach (var parameter in parameters) command.Parameters.Add(parameter);
        return command;
    }

    private static void Execute(NpgsqlConnection connection, string text, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        using var command = Command(connection, text, parameters);
        command.ExecuteNonQuery();
    }

    private static NpgsqlParameter<byte[]> Bytes(byte[] value) => new() { TypedValue = value };

    private static NpgsqlParameter<string> Text(string value) => new() { TypedValue = value };

    private static NpgsqlParameter<int> Number(int value) => new() { TypedValue = value };

    private static NpgsqlParameter<long> Number(long value) => new() { TypedValue = value };

    private static NpgsqlParameter<T[]> Array<T>(T[] values, NpgsqlDbType type) => new() { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type };
}
