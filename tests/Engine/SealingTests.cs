using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Engine.Tests;

public sealed class SealingTests
{
    [Fact]
    public async Task Infer_WithSealer_ShowsEachRequestsOwnTensors()
    {
        var sealer = new RecordingSealer();
        var sink = new RecordingSink();
        await using var engine = Engines.Create(sealer, sink);
        await engine.LoadModelAsync(Engines.Options("encoder") with { MaxBatch = 8 });
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(async () =>
        {
            var rows = 1 + (i % 3);
            var ids = Enumerable.Range(i, 32 * rows).Select(x => (long)x % 256).ToArray();
            var mask = Enumerable.Repeat(1L, 32 * rows).ToArray();
            var request = new InferenceRequest("encoder").Add<long>("input_ids", [rows, 32], ids).Add<long>("attention_mask", [rows, 32], mask);
            request.ParameterDigest = Hash256.Sha256([(byte)i]);
            using var result = await engine.InferAsync(request);

            var leaf = RowLeaf.Decode(result.Batch!.LeafPreimage(result.RowIndex));
            Assert.Equal(Digest(("input_ids", ElementType.Int64, [rows, 32], Bytes(ids)), ("attention_mask", ElementType.Int64, [rows, 32], Bytes(mask))), leaf.Request);
            Assert.Equal(Digest(("embedding", ElementType.Float32, [rows, 64], result.Bytes(0).ToArray())), leaf.Output);
            Assert.Equal(request.ParameterDigest, leaf.Parameters);
            Assert.Equal(rows, leaf.Rows);
            Assert.Equal((uint)result.FirstSlot, leaf.FirstSlot);
            Assert.True(leaf.FirstSlot + leaf.Rows <= result.BatchRows);
            Assert.True(result.IsHandedOver);
        })));
        Assert.Equal(40, sink.Receipts);
        Assert.Equal(engine.Find("encoder")!.Context.Encode(), sealer.Context);
    }

    [Fact]
    public async Task Infer_UnbatchableModel_IsSealedWhole()
    {
        await using var engine = Engines.Create(new RecordingSealer());
        await engine.LoadModelAsync(Engines.Options("fixed"));
        float[] x = [1, 2, 3, 4];
        using var result = await engine.InferAsync(new InferenceRequest("fixed").Add<float>("x", [1, 4], x));
        var leaf = RowLeaf.Decode(result.Batch!.LeafPreimage(result.RowIndex));
        Assert.Equal(Digest(("x", ElementType.Float32, [1, 4], Bytes(x))), leaf.Request);
        Assert.Equal(Digest(("y", ElementType.Float32, [1, 4], result.Bytes(0).ToArray())), leaf.Output);
        Assert.False(result.IsHandedOver);
    }

    [Fact]
    public async Task Infer_SealerThatRefuses_GivesNoAnswer()
    {
        await using var engine = FakeEngine.Create(new FakeBackend(), new RefusingSealer());
        await engine.LoadModelAsync(FakeEngine.Options);
        var failure = await Engines.Failure(engine, FakeEngine.Request(1));
        Assert.Equal(InferenceFailureKind.SealingFailed, failure.Kind);
        Assert.DoesNotContain("epoch", failure.Message);
        Assert.Equal("the epoch has ended", failure.OperatorDetail);
    }

    [Fact]
    public async Task Infer_SinkThatIsFull_StillGivesTheReceipt()
    {
        var sink = new RecordingSink { Accepts = false };
        await using var engine = Engines.Create(new RecordingSealer(), sink);
        await engine.LoadModelAsync(Engines.Options("digits"));
        using var result = await engine.InferAsync(Engines.Digits(new float[64]));
        Assert.NotNull(result.Batch);
        Assert.False(result.IsHandedOver);
        Assert.Equal(1, engine.Statistics("digits")!.RefusedBySink);
    }

    [Fact]
    public async Task Infer_KeyReplacedWhileABatchExecutes_IsSealedByTheKeyOfItsBeginning()
    {
        var (backend, sealer) = (new FakeBackend(), new RotatingSealer());
        await using var engine = FakeEngine.Create(backend, sealer);
        await engine.LoadModelAsync(FakeEngine.Options);
        for (var key = 1; key <= 3; key++)
        {
            sealer.Key = key;
            backend.Executing = _ => sealer.Key = 99;
            using var result = await engine.InferAsync(FakeEngine.Request(key));
            Assert.Equal((byte)key, result.Batch!.Statement.Span[0]);
            Assert.Equal(99, sealer.Key);
        }
    }

    [Fact]
    public async Task Infer_WithoutSealer_GivesNoBatch()
    {
        await using var engine = await Engines.CreateWith(Engines.Options("digits"));
        using var result = await engine.InferAsync(Engines.Digits(new float[64]));
        Assert.Null(result.Batch);
    }

    private static byte[] Bytes<T>(T[] values) where T : unmanaged => System.Runtime.InteropServices.MemoryMarshal.AsBytes<T>(values).ToArray();

    private static Hash256 Digest(params (string Name, ElementType Type, long[] Shape, byte[] Data)[] tensors) => TensorSetDigest.Of(
        tensors.Select(t => (t.Name, TensorSetDigest.Header(t.Name, (byte)t.Type, t.Shape, t.Data.Length), (ReadOnlyMemory<byte>)t.Data)));

    /// <summary>Builds real leaves from the views, with a statement that nobody signed.</summary>
    private sealed unsafe class RecordingSealer : IBatchSealer
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

    /// <summary>Its statements are the number of the key.</summary>
    private sealed class RotatingSealer : IBatchSealer
    {
        public volatile int Key;

        public SealedBatch Seal(in BatchToSeal batch) => throw new InvalidOperationException("a batch asks for its own sealer");

        public IBatchSealer ForBatch() => new OfOneKey((byte)Key);

        private sealed class OfOneKey(byte key) : IBatchSealer
        {
            public SealedBatch Seal(in BatchToSeal batch)
            {
                var made = new RecordingSealer().Seal(batch);
                return new SealedBatch([key], made.LeafPreimage(0).ToArray(), made.LeafHash(0).ToArray());
            }
        }
    }

    private sealed class RefusingSealer : IBatchSealer
    {
        public SealedBatch Seal(in BatchToSeal batch) => throw new SealingException("the epoch has ended");
    }

    private sealed class RecordingSink : ISealedBatchSink
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
}
