using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Verification.Audit;

namespace OpenGradient.Engine.Verification.Tests.Audit;

/// <summary>Sealed batches with recognizable contents, shown to a retention as the engine shows them.</summary>
internal static unsafe class Kept
{
    /// <summary>A batch of rows of one input and one output of so many bytes each, every byte of row i being i + 1.</summary>
    public static SealedBatch Show(IBatchSealer sealer, IExecutionTap tap, int rows, int bytes = 64)
    {
        var context = new StatementContext(
            "digits", "1", Installation.Model, new RuntimeFingerprint("onnxruntime", "1.27.0", Hash256.Sha256("runtime"u8), "cpu", "x64", "fp32", ""), DeterminismClass.A, 1).Encode();
        var header = TensorSetDigest.Header("x", 2, [1, bytes], bytes);
        var data = new byte[rows * bytes];
        for (var i = 0; i < data.Length; i++) data[i] = (byte)((i / bytes) + 1);
        var tensors = new TensorView[rows];
        var views = new RowView[rows];
        fixed (byte* h = header, d = data, parameters = TensorSetDigest.NoParameters.ToArray())
        fixed (TensorView* t = tensors)
        {
            for (var i = 0; i < rows; i++)
            {
                tensors[i] = new TensorView { Header = h, HeaderLength = (ulong)header.Length, Data = d + (i * bytes), DataLength = (ulong)bytes };
                views[i] = new RowView { Inputs = t + i, InputCount = 1, Outputs = t + i, OutputCount = 1, ParameterDigest = parameters, FirstSlot = (uint)i, RowCount = 1 };
            }

            var batch = sealer.Seal(new BatchToSeal { Context = context, BatchRows = (uint)rows, Rows = views });
            tap.Sealed(batch, views);
            return batch;
        }
    }

    /// <summary>The row is there and is what its receipt commits to.</summary>
    public static void AssertHeld(IRowRetention retention, SealedBatch batch, uint row)
    {
        var kept = retention.Find(batch.StatementId, row);
        Assert.NotNull(kept);
        var leaf = RowLeaf.Decode(batch.LeafPreimage((int)row));
        Assert.Equal(leaf.Request, Hash256.Sha256(kept.Input.Span));
        Assert.Equal(leaf.Output, Hash256.Sha256(kept.Output.Span));
        Assert.Equal(batch.Receipt((int)row).Encode(), kept.Receipt.Encode());
    }
}

/// <summary>A clock that stands until it is told to go on.</summary>
internal sealed class HandClock : TimeProvider
{
    private DateTimeOffset _now = DateTimeOffset.UnixEpoch.AddDays(20_000);

    public void Advance(TimeSpan by) => _now += by;

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _now.Ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;
}
