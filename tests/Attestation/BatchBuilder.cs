using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Tests;

/// <summary>A tensor as a test states it.</summary>
internal sealed record TestTensor(string Name, byte[] Data, params long[] Dimensions)
{
    public byte[] Header { get; } = TensorSetDigest.Header(Name, 2, Dimensions, Data.Length);
}

/// <summary>One request of a test batch; tensors in the order of their names.</summary>
internal sealed record TestRow(TestTensor[] Inputs, TestTensor[] Outputs, uint FirstSlot, uint RowCount = 1)
{
    public Hash256 Request => Digest(Inputs);

    public Hash256 Output => Digest(Outputs);

    private static Hash256 Digest(TestTensor[] tensors) => TensorSetDigest.Of(tensors.Select(t => (t.Name, t.Header, (ReadOnlyMemory<byte>)t.Data)));
}

/// <summary>Pins what a batch points at for the length of one call.</summary>
internal static unsafe class BatchBuilder
{
    public static SealedBatch Seal(IBatchSealer sealer, IReadOnlyList<TestRow> rows, uint? batchRows = null, byte[]? context = null)
    {
        var handles = new List<GCHandle>();
        try
        {
            byte* Pin(byte[] bytes)
            {
                var handle = GCHandle.Alloc(bytes, GCHandleType.Pinned);
                handles.Add(handle);
                return (byte*)handle.AddrOfPinnedObject();
            }

            TensorView* PinAll(TestTensor[] tensors)
            {
                var views = GC.AllocateArray<TensorView>(tensors.Length, pinned: true);
                for (var i = 0; i < tensors.Length; i++)
                    views[i] = new TensorView { Header = Pin(tensors[i].Header), HeaderLength = (ulong)tensors[i].Header.Length, Data = Pin(tensors[i].Data), DataLength = (ulong)tensors[i].Data.Length };
                var handle = GCHandle.Alloc(views, GCHandleType.Pinned);
                handles.Add(handle);
                return (TensorView*)handle.AddrOfPinnedObject();
            }

            var parameters = Pin(TensorSetDigest.NoParameters.ToArray());
            var native = new RowView[rows.Count];
            for (var i = 0; i < native.Length; i++)
                native[i] = new RowView
                {
                    Inputs = PinAll(rows[i].Inputs), InputCount = (uint)rows[i].Inputs.Length, Outputs = PinAll(rows[i].Outputs), OutputCount = (uint)rows[i].Outputs.Length,
                    ParameterDigest = parameters, FirstSlot = rows[i].FirstSlot, RowCount = rows[i].RowCount,
                };
            return sealer.Seal(new BatchToSeal
            {
                Context = context ?? Shim.Context.Encode(), BatchRows = batchRows ?? rows.Max(row => row.FirstSlot + row.RowCount), Rows = native,
            });
        }
        finally
        {
            foreach (var handle in handles) handle.Free();
        }
    }

    public static TestRow[] Plain(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new TestRow([new TestTensor("x", [(byte)i, (byte)(i >> 8), 3], 1, 3)], [new TestTensor("y", [9, (byte)i], 1, 2)], (uint)i))];
}
