using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.LanguageModels.Tests.Doubles;

/// <summary>Seals as the shim does, from managed code and without a key: statements decode, and their signature is nobody's.</summary>
public sealed unsafe class ReferenceSealer : IBatchSealer
{
    private readonly Lock _gate = new();
    private readonly List<SealedBatch> _batches = [];
    private ulong _sequence;

    /// <summary>What the next calls throw; null to seal.</summary>
    public Exception? Error { get; set; }

    public IReadOnlyList<SealedBatch> Batches
    {
        get
        {
            lock (_gate) return [.. _batches];
        }
    }

    public SealedBatch Seal(in BatchToSeal batch)
    {
        if (Error is { } error) throw error;
        var leaves = new RowLeaf[batch.Rows.Length];
        for (var i = 0; i < leaves.Length; i++)
        {
            ref readonly var row = ref batch.Rows[i];
            leaves[i] = new RowLeaf(
                Salt(), DigestOf(row.Inputs, row.InputCount), DigestOf(row.Outputs, row.OutputCount),
                new Hash256(new ReadOnlySpan<byte>(row.ParameterDigest, Hash256.Size)), row.FirstSlot, (ushort)row.RowCount);
        }

        return Seal(StatementContext.Decode(batch.Context), leaves, batch.BatchRows);
    }

    /// <summary>Signs anything, true or not.</summary>
    public SealedBatch Seal(StatementContext context, RowLeaf[] leaves, uint batchRows)
    {
        lock (_gate)
        {
            Hash256[] hashes = [.. leaves.Select(leaf => RowLeaf.HashOf(leaf.ToArray()))];
            var statement = new Statement
            {
                LogId = Hash256.Sha256("log"u8), Epoch = Hash256.Sha256("epoch"u8), Sequence = ++_sequence, Signature = new byte[Statement.SignatureSize],
                Context = context, RowsRoot = MerkleTree.Root(hashes), Receipts = (uint)leaves.Length, BatchRows = batchRows, HostTime = 1,
            };
            var sealedBatch = new SealedBatch(statement.Encode(), [.. leaves.SelectMany(leaf => leaf.ToArray())], Tree(hashes));
            _batches.Add(sealedBatch);
            return sealedBatch;
        }
    }

    private static byte[] Salt() => Guid.NewGuid().ToByteArray();

    private static byte[] Tree(Hash256[] level)
    {
        var nodes = new List<byte>();
        for (; ; level = [.. level.Chunk(2).Select(pair => pair.Length == 2 ? MerkleTree.NodeHash(pair[0], pair[1]) : pair[0])])
        {
            foreach (var hash in level) nodes.AddRange(hash.Bytes);
            if (level.Length == 1) return [.. nodes];
        }
    }

    // The views are ordered as the digest demands; hashing them as they come checks that.
    private static Hash256 DigestOf(TensorView* tensors, uint count)
    {
        var bytes = new byte[TensorSetBytes.SizeOf(tensors, count)];
        fixed (byte* destination = bytes) TensorSetBytes.Write(tensors, count, destination);
        TensorSetBytes.Decode(bytes);
        return Hash256.Sha256(bytes);
    }
}

/// <summary>Takes batches, or does not.</summary>
public sealed class ReferenceSink : ISealedBatchSink
{
    private int _accepted;

    public bool Accepts { get; set; } = true;

    public int Accepted => Volatile.Read(ref _accepted);

    public bool TryAccept(SealedBatch batch)
    {
        if (Accepts) Interlocked.Increment(ref _accepted);
        return Accepts;
    }
}
