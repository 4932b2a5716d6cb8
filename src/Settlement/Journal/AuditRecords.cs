using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Journal;

/// <summary>What an audit record says. Numbers are on disk.</summary>
internal enum AuditRecordKind : byte
{
    /// <summary>Auditing begins with the operation that is named: what was anchored before is not drawn for.</summary>
    Begun = 1,

    /// <summary>Rows that the draw of an anchor picked; more may follow.</summary>
    Drawn = 2,

    /// <summary>The same, and these were the last: this anchor needs no further draw.</summary>
    DrawnToTheEnd = 3,

    /// <summary>What came of rows that were drawn.</summary>
    Concluded = 4,
}

/// <summary>
/// Draws and their outcomes:
/// <code>u64 time ‖ u8 version (1) ‖ u8 kind ‖ u64 operation ‖ u64 beacon block ‖ beacon hash ‖ u32 one in ‖ u32 count ‖ rows</code>
/// A row is <code>statement (32) ‖ u64 leaf ‖ u32 row ‖ u8 outcome ‖ u8 reason ‖ u16 length ‖ sentence</code>
/// </summary>
internal sealed record AuditedRecord(ulong Time, AuditRecordKind Kind, ulong Operation, AuditBeacon Beacon, uint OneIn, AuditedRow[] Rows)
{
    private const byte Version = 1;
    private const int SmallestRow = Hash256.Size + 8 + 4 + 1 + 1 + 2;

    public byte[] Encode()
    {
        var writer = new ByteWriter().U64(Time).U8(Version).U8((byte)Kind).U64(Operation).U64(Beacon.BlockNumber).Hash(Beacon.BlockHash).U32(OneIn).U32((uint)Rows.Length);
        foreach (var row in Rows) writer.Hash(row.Statement).U64(row.Leaf).U32(row.Row).U8((byte)row.Outcome).U8((byte)row.Reason).Text(row.Detail);
        return writer.ToArray();
    }

    public static AuditedRecord Decode(ReadOnlySpan<byte> payload)
    {
        var reader = new ByteReader(payload, "journal: audited");
        var time = reader.U64();
        if (reader.U8() is var version and not Version) throw new FormatException($"journal: audited: version {version} is unknown; a newer release wrote it");
        var kind = (AuditRecordKind)reader.U8();
        if (!Enum.IsDefined(kind)) throw new FormatException($"journal: audited: unknown kind {(byte)kind}");
        var (operation, beacon, oneIn, count) = (reader.U64(), new AuditBeacon(reader.U64(), reader.Hash()), reader.U32(), reader.U32());
        if (count > reader.Remaining / SmallestRow) throw new FormatException("journal: audited: more rows than bytes");
        var rows = new AuditedRow[count];
        for (var i = 0; i < rows.Length; i++) rows[i] = DecodeRow(ref reader, new(default, 0, 0, default, default, time, beacon, oneIn, operation, ""));
        reader.End();
        return new(time, kind, operation, beacon, oneIn, rows);
    }

    private static AuditedRow DecodeRow(ref ByteReader reader, AuditedRow common)
    {
        var (statement, leaf, row, outcome, reason, detail) = (reader.Hash(), reader.U64(), reader.U32(), (AuditOutcome)reader.U8(), (AuditReason)reader.U8(), reader.Text());
        if (!Enum.IsDefined(outcome) || !Enum.IsDefined(reason)) throw new FormatException($"journal: audited: unknown outcome {(byte)outcome} or reason {(byte)reason}");
        return common with { Statement = statement, Leaf = leaf, Row = row, Outcome = outcome, Reason = reason, Detail = detail };
    }
}

/// <summary>An epoch's key signs nothing more: <code>u64 time ‖ u8 version (1) ‖ epoch (32) ‖ statement (32) ‖ u16 length ‖ why</code></summary>
internal sealed record HaltedRecord(EpochHalt Halt)
{
    private const byte Version = 1;

    public byte[] Encode() => new ByteWriter().U64(Halt.At).U8(Version).Hash(Halt.Epoch).Hash(Halt.Statement).Text(Halt.Reason).ToArray();

    public static HaltedRecord Decode(ReadOnlySpan<byte> payload)
    {
        var reader = new ByteReader(payload, "journal: epoch halted");
        var time = reader.U64();
        if (reader.U8() is var version and not Version) throw new FormatException($"journal: epoch halted: version {version} is unknown; a newer release wrote it");
        var halt = new EpochHalt(reader.Hash(), time, reader.Hash(), reader.Text());
        reader.End();
        return new(halt);
    }
}
