using System.Text;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Custody;

/// <summary>What was signed twice.</summary>
public enum EquivocationKind
{
    /// <summary>Two checkpoints of one size by one epoch key: the contract convicts it.</summary>
    Checkpoint,

    /// <summary>Two statements with one sequence number by one epoch key: the contract convicts it.</summary>
    Statement,

    /// <summary>Two notes of one size, or of histories that are not one, by the log's key: evidence for people and witnesses. The contract knows no such key.</summary>
    LogKey,
}

/// <summary>Two signatures for one position: what convicts a key.</summary>
/// <param name="Text">In words.</param>
/// <param name="Contract">Where the call goes; null where no contract judges.</param>
/// <param name="Call">The contract call, whole: anyone may send it. Empty where no contract judges.</param>
/// <param name="First">One of the two signed things, as bytes.</param>
/// <param name="Second">The other.</param>
public sealed record Equivocation(EquivocationKind Kind, string Text, EvmAddress? Contract, ReadOnlyMemory<byte> Call, ReadOnlyMemory<byte> First, ReadOnlyMemory<byte> Second)
{
    /// <summary>Two checkpoints as receipts' bundles carry them; null when they do not contradict each other. Signatures are not checked here: the contract does.</summary>
    public static Equivocation? OfCheckpoints(Hash256 logId, SignedCheckpoint a, SignedCheckpoint b)
    {
        if (a.Size != b.Size || a.Root == b.Root || a.ChainId != b.ChainId || a.Contract != b.Contract) return null;
        var same = a.Epoch == b.Epoch;
        var text = $"log {logId}: two checkpoints of size {a.Size}, roots {a.Root} and {b.Root}" + (same ? $", signed by epoch {a.Epoch}" : $", by epochs {a.Epoch} and {b.Epoch}: no one epoch key signed both, the log's key did");
        // Two epochs' keys are two signers for the contract; the notes are by the one log key.
        if (!same) return new(EquivocationKind.LogKey, text, null, default, a.Note, b.Note);
        var call = new AbiCall("proveCheckpointEquivocation(bytes32,uint64,bytes32,bytes32,bytes,bytes32,bytes32,bytes)")
            .Word(logId).Number(a.Size).Word(a.Root).Word(a.PreviousHead).Bytes(AbiCall.Signature(a.Signature.Span)).Word(b.Root).Word(b.PreviousHead).Bytes(AbiCall.Signature(b.Signature.Span));
        return new(EquivocationKind.Checkpoint, text, a.Contract, call.ToArray(), a.Note, b.Note);
    }

    /// <summary>Two statements; null unless they are two for one log, epoch and sequence number.</summary>
    /// <param name="contract">The ledger that judges.</param>
    public static Equivocation? OfStatements(EvmAddress contract, ReadOnlyMemory<byte> a, ReadOnlyMemory<byte> b)
    {
        const int position = 88; // tag, log, epoch, sequence
        var first = a.Span[..Statement.HeaderSize];
        var second = b.Span[..Statement.HeaderSize];
        if (!first[..position].SequenceEqual(second[..position]) || first.SequenceEqual(second)) return null;
        var statement = Statement.Decode(a.Span);
        var call = new AbiCall("proveStatementEquivocation(bytes,bytes,bytes,bytes)")
            .Bytes(first.ToArray()).Bytes(AbiCall.Signature(statement.Signature.Span)).Bytes(second.ToArray()).Bytes(AbiCall.Signature(Statement.Decode(b.Span).Signature.Span));
        return new(EquivocationKind.Statement, $"log {statement.LogId}: two statements with sequence number {statement.Sequence} of epoch {statement.Epoch}", contract, call.ToArray(), a, b);
    }

    /// <summary>Two notes of one log that no history has both of.</summary>
    public static Equivocation OfNotes(string origin, ulong size, ReadOnlyMemory<byte> a, ReadOnlyMemory<byte> b) =>
        new(EquivocationKind.LogKey, $"log {origin}: two checkpoints that no one history has, the one of size {size}", null, default, a, b);
}

/// <summary>Lays out a contract call: words in place, byte strings behind them.</summary>
internal sealed class AbiCall(string signature)
{
    private const int WordSize = 32;
    private readonly List<byte[]> _words = [];
    private readonly List<(int Word, byte[] Bytes)> _tails = [];

    public AbiCall Word(in Hash256 value)
    {
        _words.Add(value.ToArray());
        return this;
    }

    public AbiCall Number(ulong value)
    {
        var word = new byte[WordSize];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(word.AsSpan(WordSize - 8), value);
        _words.Add(word);
        return this;
    }

    public AbiCall Bytes(byte[] value)
    {
        _tails.Add((_words.Count, value));
        return Number(0);
    }

    public byte[] ToArray()
    {
        var tail = new List<byte>();
        foreach (var (word, bytes) in _tails)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(_words[word].AsSpan(WordSize - 8), (ulong)((_words.Count * WordSize) + tail.Count));
            var length = new byte[WordSize];
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(length.AsSpan(WordSize - 8), (ulong)bytes.Length);
            tail.AddRange([.. length, .. bytes, .. new byte[(WordSize - (bytes.Length % WordSize)) % WordSize]]);
        }

        return [.. Keccak256.Hash(Encoding.ASCII.GetBytes(signature)).Bytes[..4], .. _words.SelectMany(word => word), .. tail];
    }

    /// <summary>A signature as the contract takes it: v is 27 or 28.</summary>
    public static byte[] Signature(ReadOnlySpan<byte> signature) => [.. signature[..64], (byte)(signature[64] + 27)];
}
