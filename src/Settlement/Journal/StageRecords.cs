using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Journal;

/// <summary>Statements that passed every check.</summary>
internal sealed record VerifiedRecord(ulong Time, Hash256[] Statements)
{
    public byte[] Encode() => new ByteWriter().U64(Time).Hashes(Statements).ToArray();

    public static VerifiedRecord Decode(ReadOnlySpan<byte> payload)
    {
        var reader = new ByteReader(payload, "journal: verified");
        var record = new VerifiedRecord(reader.U64(), reader.Hashes());
        reader.End();
        return record;
    }
}

/// <summary>A statement that failed, and every reason.</summary>
internal sealed record QuarantinedRecord(ulong Time, Hash256 Statement, VerificationReason[] Reasons)
{
    private static readonly Dictionary<string, VerificationReason> ByText = Enum.GetValues<VerificationReason>().ToDictionary(reason => reason.Text());

    public byte[] Encode()
    {
        var writer = new ByteWriter().U64(Time).Hash(Statement).U16(Reasons.Length);
        foreach (var reason in Reasons) writer.Text(reason.Text());
        return writer.ToArray();
    }

    public static VerificationReason ReasonOf(string text) =>
        ByText.TryGetValue(text, out var reason) ? reason : throw new FormatException($"journal: quarantined: unknown reason {text}");

    public static QuarantinedRecord Decode(ReadOnlySpan<byte> payload)
    {
        var reader = new ByteReader(payload, "journal: quarantined");
        var (time, statement) = (reader.U64(), reader.Hash());
        var reasons = new VerificationReason[reader.U16()];
        for (var i = 0; i < reasons.Length; i++) reasons[i] = ReasonOf(reader.Text());

        reader.End();
        return new(time, statement, reasons);
    }
}

/// <summary>Statements that became consecutive leaves of the log.</summary>
internal sealed record SequencedRecord(ulong Time, ulong FirstLeaf, Hash256[] Statements)
{
    public byte[] Encode() => new ByteWriter().U64(Time).U64(FirstLeaf).Hashes(Statements).ToArray();

    public static SequencedRecord Decode(ReadOnlySpan<byte> payload)
    {
        var reader = new ByteReader(payload, "journal: sequenced");
        var record = new SequencedRecord(reader.U64(), reader.U64(), reader.Hashes());
        reader.End();
        return record;
    }
}

/// <summary>An epoch began: its evidence is needed for every proof that its key signed.</summary>
internal sealed record EpochRecord(ulong Time, Epoch Epoch)
{
    public byte[] Encode() => new ByteWriter().U64(Time).Hash(Epoch.Id).Address(Epoch.Address).U32((uint)Epoch.Evidence.Length).Bytes(Epoch.Evidence.Span).ToArray();

    public static EpochRecord Decode(ReadOnlySpan<byte> payload)
    {
        var reader = new ByteReader(payload, "journal: epoch");
        var record = new EpochRecord(reader.U64(), new Epoch(reader.Hash(), reader.Address(), reader.Take(reader.U32()).ToArray()));
        reader.End();
        return record;
    }
}
