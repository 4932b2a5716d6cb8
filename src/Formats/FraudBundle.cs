using System.Text;
using System.Text.Unicode;

namespace OpenGradient.Engine.Formats;

/// <summary>How and when a disputed row was executed again, and what was found, in a sentence.</summary>
/// <param name="Time">Nanoseconds since 1970 by the auditor's clock.</param>
/// <param name="Rows">The request's rows.</param>
/// <param name="BatchRows">Rows of the whole call, padding and neighbours included.</param>
/// <param name="FirstSlot">The request's first row within the call.</param>
public sealed record FraudFinding(ulong Time, uint Rows, uint BatchRows, uint FirstSlot, string Detail);

/// <summary>
/// A row that was executed again and gave other bits than its receipt commits to, with everything that somebody else needs to
/// find the same (docs/formats.md, "Fraud bundle"). It contains the request's input: not for everybody.
/// </summary>
public sealed record FraudBundle
{
    /// <summary>Inputs are at most 64 MiB by default, outputs are rarely larger.</summary>
    public const int MaxSize = 256 << 20;

    private const int MaxDetail = 4096;

    /// <summary>The receipt with its proof up to the anchor.</summary>
    public required ReceiptBundle Receipt { get; init; }

    /// <summary>The block that decided the draw.</summary>
    public required AuditBeacon Beacon { get; init; }

    /// <summary>The rate of the draw: one in so many.</summary>
    public required uint OneIn { get; init; }

    /// <summary>The request's tensors (<see cref="TensorSetBytes"/>); their SHA-256 is the receipt's request digest.</summary>
    public required ReadOnlyMemory<byte> Input { get; init; }

    /// <summary>The outputs that were answered, where they were kept; their SHA-256 is the receipt's output digest.</summary>
    public ReadOnlyMemory<byte>? ClaimedOutput { get; init; }

    /// <summary>The outputs of the execution again.</summary>
    public required ReadOnlyMemory<byte> OwnOutput { get; init; }

    /// <summary>The statement's context with the auditor's runtime in it: what executed the row again.</summary>
    public required StatementContext OwnContext { get; init; }

    public required FraudFinding Finding { get; init; }

    /// <summary>The draw that made the row due; null when the bundle has no anchor to draw for.</summary>
    public AuditDraw? Draw() => Receipt is { Checkpoint: { } checkpoint, Anchor: not null } && OneIn > 0
        ? AuditDraw.Of(Statement.Decode(Receipt.Receipt.Statement.Span).LogId, checkpoint.Size, checkpoint.Root, checkpoint.ChainId, Beacon, OneIn)
        : null;

    public byte[] Encode()
    {
        var detail = Encoding.UTF8.GetBytes(Finding.Detail.Length > MaxDetail / 4 ? Finding.Detail[..(MaxDetail / 4)] : Finding.Detail);
        var sections = new List<(ushort Type, ReadOnlyMemory<byte> Payload)>
        {
            (1, Receipt.Encode()),
            (2, new ByteWriter().U64(Beacon.BlockNumber).Hash(Beacon.BlockHash).U32(OneIn).ToArray()),
            (3, Input),
        };
        if (ClaimedOutput is { } claimed) sections.Add((4, claimed));
        sections.Add((5, OwnOutput));
        sections.Add((6, OwnContext.Encode()));
        sections.Add((7, new ByteWriter().U64(Finding.Time).U32(Finding.Rows).U32(Finding.BatchRows).U32(Finding.FirstSlot).U16(detail.Length).Bytes(detail).ToArray()));

        var writer = new ByteWriter().Tag("OGE fraud v1"u8).U16(sections.Count);
        foreach (var (type, payload) in sections) writer.U16(type).U32((uint)payload.Length).Bytes(payload.Span);
        return writer.ToArray();
    }

    /// <exception cref="FormatException">Not a fraud bundle's canonical bytes; the message names what was wrong.</exception>
    public static FraudBundle Decode(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length > MaxSize) throw new FormatException($"fraud bundle: more than {MaxSize} bytes");
        var reader = new ByteReader(bytes.Span, "fraud bundle");
        reader.Tag("OGE fraud v1"u8);
        var sections = new ReadOnlyMemory<byte>?[8];
        var last = 0;
        for (var left = reader.U16(); left > 0; left--)
        {
            var type = reader.U16();
            if (type <= last) throw new FormatException("fraud bundle: sections are not in increasing order");
            if (type >= sections.Length) throw new FormatException($"fraud bundle: unknown section {type}");
            last = type;
            var length = reader.U32();
            var start = bytes.Length - reader.Remaining;
            reader.Take(length);
            sections[type] = bytes.Slice(start, (int)length);
        }

        reader.End();
        ReadOnlyMemory<byte> Section(int type) => sections[type] ?? throw new FormatException($"fraud bundle: no section {type}");
        var beacon = new ByteReader(Section(2).Span, "fraud bundle section 2");
        var (block, hash, oneIn) = (beacon.U64(), beacon.Hash(), beacon.U32());
        beacon.End();
        return new FraudBundle
        {
            Receipt = ReceiptBundle.Decode(Section(1).Span),
            Beacon = new AuditBeacon(block, hash),
            OneIn = oneIn,
            Input = Section(3),
            ClaimedOutput = sections[4],
            OwnOutput = Section(5),
            OwnContext = StatementContext.Decode(Section(6).Span),
            Finding = DecodeFinding(Section(7).Span),
        };
    }

    private static FraudFinding DecodeFinding(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes, "fraud bundle section 7");
        var (time, rows, batchRows, slot) = (reader.U64(), reader.U32(), reader.U32(), reader.U32());
        var text = reader.Take(reader.U16());
        reader.End();
        if (text.Length > MaxDetail || !Utf8.IsValid(text)) throw new FormatException("fraud bundle section 7: the sentence is not UTF-8, or too long");
        return new FraudFinding(time, rows, batchRows, slot, Encoding.UTF8.GetString(text));
    }
}
