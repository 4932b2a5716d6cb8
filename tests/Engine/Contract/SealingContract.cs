using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Engine.Tests.Contract;

/// <summary>What is sealed is what was asked and answered, whichever backend executed. Run by each implementation.</summary>
public abstract class SealingContract
{
    protected abstract ContractSubject Subject { get; }

    [ContractFact]
    public async Task Infer_WithSealer_ShowsEachRequestsOwnTensors()
    {
        var sealer = new RecordingSealer();
        var sink = new RecordingSink();
        await using var engine = Subject.Create(sealer, sink);
        await engine.LoadModelAsync(Subject.Options("encoder") with { MaxBatch = 8 });
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

    [ContractFact]
    public async Task Infer_UnbatchableModel_IsSealedWhole()
    {
        await using var engine = Subject.Create(new RecordingSealer());
        await engine.LoadModelAsync(Subject.Options("fixed"));
        float[] x = [1, 2, 3, 4];
        using var result = await engine.InferAsync(new InferenceRequest("fixed").Add<float>("x", [1, 4], x));
        var leaf = RowLeaf.Decode(result.Batch!.LeafPreimage(result.RowIndex));
        Assert.Equal(Digest(("x", ElementType.Float32, [1, 4], Bytes(x))), leaf.Request);
        Assert.Equal(Digest(("y", ElementType.Float32, [1, 4], result.Bytes(0).ToArray())), leaf.Output);
        Assert.False(result.IsHandedOver);
    }

    private static byte[] Bytes<T>(T[] values) where T : unmanaged => System.Runtime.InteropServices.MemoryMarshal.AsBytes<T>(values).ToArray();

    private static Hash256 Digest(params (string Name, ElementType Type, long[] Shape, byte[] Data)[] tensors) => TensorSetDigest.Of(
        tensors.Select(t => (t.Name, TensorSetDigest.Header(t.Name, (byte)t.Type, t.Shape, t.Data.Length), (ReadOnlyMemory<byte>)t.Data)));
}
