using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>A chain operation with all that has become of it, as the archive and the snapshot hold it. Its first byte is the layout's version.</summary>
internal static class OperationBytes
{
    private const byte Version = 1;

    public static byte[] Encode(ChainOperation operation)
    {
        var opened = operation.Opened.Encode();
        var writer = new ByteWriter().U8(Version).U32((uint)opened.Length).Bytes(opened).U64(operation.FirstLeaf)
            .U64(operation.IncludedAt).U64(operation.FinalAt).U64(operation.ReopenedAt)
            .U8(operation.AbandonedBecause is null ? (byte)0 : (byte)1).Text(operation.AbandonedBecause ?? "");
        writer.U8(operation.Inclusion is null ? (byte)0 : (byte)1);
        if (operation.Inclusion is { } at) writer.Hash(at.Transaction).U64(at.BlockNumber).Hash(at.BlockHash).U32(at.LogIndex);
        writer.U32((uint)operation.Attempts.Count);
        foreach (var attempt in operation.Attempts)
        {
            writer.U64(attempt.Nonce).Wei(attempt.MaxPriorityFee).Wei(attempt.MaxFee).U64(attempt.GasLimit).U64(attempt.AtBlock)
                .U32((uint)attempt.Raw.Length).Bytes(attempt.Raw.Span);
        }

        writer.U32((uint)operation.Cosignatures.Count);
        foreach (var line in operation.Cosignatures) writer.U32((uint)line.Length).Bytes(line.Span);
        return writer.ToArray();
    }

    /// <exception cref="FormatException">Not such bytes.</exception>
    public static ChainOperation Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes, "archived operation");
        if (reader.U8() is var version and not Version) throw new FormatException($"archived operation: version {version} is unknown; a newer release wrote it");
        var operation = new ChainOperation(OpenedRecord.Decode(reader.Take(reader.U32())))
        {
            FirstLeaf = reader.U64(), IncludedAt = reader.U64(), FinalAt = reader.U64(), ReopenedAt = reader.U64(),
        };
        var abandoned = reader.U8() == 1;
        var because = reader.Text();
        if (abandoned) operation.AbandonedBecause = because;
        if (reader.U8() == 1) operation.Inclusion = new(reader.Hash(), reader.U64(), reader.Hash(), reader.U32());
        var attempts = reader.U32();
        for (var i = 0u; i < attempts; i++)
        {
            var (nonce, tip, fee, gas, block) = (reader.U64(), reader.Wei(), reader.Wei(), reader.U64(), reader.U64());
            var raw = reader.Take(reader.U32()).ToArray();
            operation.Attempts.Add(new(nonce, tip, fee, gas, block, raw, Keccak256.Hash(raw)));
        }

        var cosignatures = reader.U32();
        for (var i = 0u; i < cosignatures; i++) operation.Cosignatures.Add(reader.Take(reader.U32()).ToArray());
        reader.End();
        return operation;
    }
}
