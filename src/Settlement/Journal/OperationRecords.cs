using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Journal;

/// <summary>What a chain operation does. Numbers are on disk.</summary>
public enum OperationKind : byte
{
    /// <summary>Registers an epoch's key for the log.</summary>
    Register = 1,

    /// <summary>Moves the log's head to a checkpoint.</summary>
    Anchor = 2,
}

/// <summary>Why a settlement batch was closed. Numbers are on disk.</summary>
public enum CloseReason : byte
{
    None = 0,

    /// <summary>It held as many statements as allowed.</summary>
    Full = 1,

    /// <summary>Its oldest statement had waited as long as allowed.</summary>
    Age = 2,

    /// <summary>The host asked, for example at shutdown.</summary>
    Asked = 3,

    /// <summary>Its oldest receipt came near its objective.</summary>
    Objective = 4,

    /// <summary>Gas was cheap.</summary>
    CheapGas = 5,
}

/// <summary>An operation began: from here on it is carried through, or abandoned by name.</summary>
/// <param name="Signer">The key to register, or the key that signed the checkpoint.</param>
/// <param name="Predecessor">Registrations: the key that holds the head now.</param>
/// <param name="FromBlock">Newest block when it began: its events are not older.</param>
internal sealed record OpenedRecord(
    ulong Time, ulong Id, OperationKind Kind, ulong FromBlock, EvmAddress Signer, Hash256 Epoch, EvmAddress Predecessor, CloseReason Reason, SignedCheckpoint? Checkpoint)
{
    public byte[] Encode()
    {
        var writer = new ByteWriter().U64(Time).U64(Id).U8((byte)Kind).U64(FromBlock).Address(Signer).Hash(Epoch).Address(Predecessor).U8((byte)Reason);
        if (Checkpoint is { } signed)
        {
            writer.U64(signed.Size).Hash(signed.Root).Hash(signed.PreviousHead).U64(signed.ChainId).Address(signed.Contract)
                .Bytes(signed.Signature.Span).Bytes(signed.LogPublicKey.Span).U32((uint)signed.Note.Length).Bytes(signed.Note.Span);
        }

        return writer.ToArray();
    }

    public static OpenedRecord Decode(ReadOnlySpan<byte> payload)
    {
        var reader = new ByteReader(payload, "journal: operation");
        var (time, id, kind) = (reader.U64(), reader.U64(), (OperationKind)reader.U8());
        if (!Enum.IsDefined(kind)) throw new FormatException($"journal: operation {id} has the unknown kind {(byte)kind}");
        var (fromBlock, signer, epoch, predecessor, reason) = (reader.U64(), reader.Address(), reader.Hash(), reader.Address(), (CloseReason)reader.U8());
        SignedCheckpoint? checkpoint = null;
        if (kind == OperationKind.Anchor)
        {
            var (size, root, previous, chainId, contract) = (reader.U64(), reader.Hash(), reader.Hash(), reader.U64(), reader.Address());
            var signature = reader.Take(Statement.SignatureSize).ToArray();
            var logKey = reader.Take(32).ToArray();
            checkpoint = new(size, root, previous, chainId, contract, epoch, signature, logKey, reader.Take(reader.U32()).ToArray());
        }

        reader.End();
        return new(time, id, kind, fromBlock, signer, epoch, predecessor, reason, checkpoint);
    }
}

/// <summary>A transaction's raw bytes, on disk before any node sees them.</summary>
internal sealed record AttemptRecord(
    ulong Time, ulong Operation, ulong Nonce, UInt128 MaxPriorityFee, UInt128 MaxFee, ulong GasLimit, ulong AtBlock, ReadOnlyMemory<byte> Raw)
{
    public byte[] Encode() => new ByteWriter().U64(Time).U64(Operation).U64(Nonce).Wei(MaxPriorityFee).Wei(MaxFee).U64(GasLimit).U64(AtBlock)
        .U32((uint)Raw.Length).Bytes(Raw.Span).ToArray();

    public static AttemptRecord Decode(ReadOnlySpan<byte> payload)
    {
        var reader = new ByteReader(payload, "journal: attempt");
        var record = new AttemptRecord(
            reader.U64(), reader.U64(), reader.U64(), reader.Wei(), reader.Wei(), reader.U64(), reader.U64(), reader.Take(reader.U32()).ToArray());
        reader.End();
        return record;
    }
}

/// <summary>An operation's event was seen in a block; a later record for the same operation replaces it.</summary>
internal sealed record IncludedRecord(ulong Time, ulong Operation, AnchorClaim At)
{
    public byte[] Encode() => new ByteWriter().U64(Time).U64(Operation).Hash(At.Transaction).U64(At.BlockNumber).Hash(At.BlockHash).U32(At.LogIndex).ToArray();

    public static IncludedRecord Decode(ReadOnlySpan<byte> payload)
    {
        var reader = new ByteReader(payload, "journal: included");
        var record = new IncludedRecord(reader.U64(), reader.U64(), new(reader.Hash(), reader.U64(), reader.Hash(), reader.U32()));
        reader.End();
        return record;
    }
}

/// <summary>A transaction of an operation is in a block, whether it succeeded or not: what it cost. A later record for the same nonce replaces it.</summary>
internal sealed record SpentRecord(ulong Time, ulong Operation, ulong Nonce, Hash256 Transaction, UInt128 Paid)
{
    public byte[] Encode() => new ByteWriter().U64(Time).U64(Operation).U64(Nonce).Hash(Transaction).Wei(Paid).ToArray();

    public static SpentRecord Decode(ReadOnlySpan<byte> payload)
    {
        var reader = new ByteReader(payload, "journal: spent");
        var record = new SpentRecord(reader.U64(), reader.U64(), reader.U64(), reader.Hash(), reader.Wei());
        reader.End();
        return record;
    }
}

/// <summary>An operation became final, was undone by a reorganisation, or was given up; which one is the record's type.</summary>
internal sealed record OperationEndRecord(ulong Time, ulong Operation, string Reason)
{
    public byte[] Encode() => new ByteWriter().U64(Time).U64(Operation).Text(Reason).ToArray();

    public static OperationEndRecord Decode(ReadOnlySpan<byte> payload)
    {
        var reader = new ByteReader(payload, "journal: operation's end");
        var record = new OperationEndRecord(reader.U64(), reader.U64(), reader.Text());
        reader.End();
        return record;
    }
}
