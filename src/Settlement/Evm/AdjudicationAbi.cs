using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Evm;

/// <summary>Proofs of equivocation: anybody may send them.</summary>
public static class AdjudicationAbi
{
    private const int Word = 32;

    /// <summary>Convicts a key of two statements for one sequence number.</summary>
    /// <param name="first">A statement's bytes; header and signature are taken from them.</param>
    /// <param name="second">Another one.</param>
    public static byte[] ProveStatementEquivocation(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        const int heads = 4 * Word;
        const int header = Word + 128; // length, 120 bytes, padding
        const int signature = Word + 96; // length, 65 bytes, padding
        return new AbiCall("proveStatementEquivocation(bytes,bytes,bytes,bytes)"u8)
            .Number(heads).Number(heads + header).Number(heads + header + signature).Number(heads + (2 * header) + signature)
            .Padded(first[..Statement.HeaderSize]).Signature(first.Slice(Statement.HeaderSize, Statement.SignatureSize))
            .Padded(second[..Statement.HeaderSize]).Signature(second.Slice(Statement.HeaderSize, Statement.SignatureSize)).ToArray();
    }

    /// <summary>Convicts a key of two roots for one size of its log.</summary>
    public static byte[] ProveCheckpointEquivocation(in Hash256 logId, SignedCheckpoint first, SignedCheckpoint second)
    {
        const int heads = 8 * Word;
        return new AbiCall("proveCheckpointEquivocation(bytes32,uint64,bytes32,bytes32,bytes,bytes32,bytes32,bytes)"u8)
            .Hash(logId).Number(first.Size).Hash(first.Root).Hash(first.PreviousHead).Number(heads)
            .Hash(second.Root).Hash(second.PreviousHead).Number(heads + Word + 96)
            .Signature(first.Signature.Span).Signature(second.Signature.Span).ToArray();
    }
}
