using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Benchmarks.Settlement.Pipeline;

/// <summary>Batches as the engine hands them over, sealed by a real epoch before anything is measured. Every row has a salt, so every receipt an id, of its own.</summary>
internal static unsafe class PresignedBatches
{
    private static readonly byte[] Context = new StatementContext(
        "benchmark", "1", Hash256.Sha256("no model"u8), new RuntimeFingerprint("none", "1", Hash256.Sha256("no library"u8), "cpu", "none", "fp32", ""), DeterminismClass.A, 1).Encode();

    public static SealedBatch[] Make(EnclaveEpoch epoch, int batches, int rows)
    {
        var made = new SealedBatch[batches];
        // The epoch signs on as many threads as there are; which sequence number a batch gets does not matter.
        Parallel.For(0, batches, i => made[i] = Seal(epoch, rows));
        return made;
    }

    private static SealedBatch Seal(EnclaveEpoch epoch, int rows)
    {
        var header = TensorSetDigest.Header("x", (byte)ElementType.Float32, [1, 1], sizeof(float));
        var number = new byte[sizeof(float)];
        var parameters = TensorSetDigest.NoParameters.ToArray();
        Span<RowView> views = stackalloc RowView[rows];
        fixed (byte* head = header, data = number, digest = parameters)
        {
            var tensor = new TensorView { Header = head, HeaderLength = (ulong)header.Length, Data = data, DataLength = (ulong)number.Length };
            for (var i = 0; i < rows; i++)
                views[i] = new RowView { Inputs = &tensor, Outputs = &tensor, InputCount = 1, OutputCount = 1, ParameterDigest = digest, FirstSlot = (uint)i, RowCount = 1 };
            return epoch.Seal(new BatchToSeal { Context = Context, BatchRows = (uint)rows, Rows = views });
        }
    }
}
