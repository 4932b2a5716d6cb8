using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Engine.Tests;

/// <summary>Builds real leaves from the views, with a statement that nobody signed.</summary>
internal sealed unsafe class RecordingSealer : IBatchSealer
{
    public byte[] Context { get; private set; } = [];

    public SealedBatch Seal(in BatchToSeal batch)
    {
        Context = batch.Context.ToArray();
        var leaves = new byte[batch.Rows.Length * RowLeaf.Size];
        var hashes = new Hash256[batch.Rows.Length];
        for (var i = 0; i < batch.Rows.Length; i++)
        {
            ref readonly var row = ref batch.Rows[i];
            var leaf = new RowLeaf(
                new byte[16], DigestOf(row.Inputs, row.InputCount), DigestOf(row.Outputs, row.OutputCount),
                new Hash256(new ReadOnlySpan<byte>(row.ParameterDigest, 32)), row.FirstSlot, (ushort)row.RowCount);
            leaf.Encode(leaves.AsSpan(i * RowLeaf.Size));
            hashes[i] = RowLeaf.HashOf(leaf.ToArray());
        }

        return new SealedBatch([1], leaves, Tree(hashes));
    }

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
        var bytes = new ByteWriter().Tag("OGE tensors v1"u8).U32(count);
        for (var i = 0; i < count; i++)
        {
            bytes.Bytes(new ReadOnlySpan<byte>(tensors[i].Header, (int)tensors[i].HeaderLength));
            bytes.Bytes(new ReadOnlySpan<byte>(tensors[i].Data, (int)tensors[i].DataLength));
        }

        return Hash256.Sha256(bytes.ToArray());
    }
}

/// <summary>Counts what it is handed.</summary>
internal sealed class RecordingSink : ISealedBatchSink
{
    private int _receipts;

    public int Receipts => _receipts;

    public bool Accepts { get; init; } = true;

    public bool TryAccept(SealedBatch batch)
    {
        Interlocked.Add(ref _receipts, batch.Count);
        return Accepts;
    }
}
