using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Verification.Tests.Replay;

/// <summary>A row to be sealed with whatever it claims.</summary>
internal sealed record ClaimedRow(NamedTensor[] Inputs, NamedTensor[] Outputs, uint FirstSlot, uint Rows, Hash256? Parameters = null);

/// <summary>Seals what no honest engine says: the shim signs the bytes that it is shown.</summary>
internal static unsafe class Sealing
{
    public static Receipt Claim(IBatchSealer sealer, StatementContext context, uint batchRows, ClaimedRow[] rows, int row = 0)
    {
        var handles = new List<GCHandle>();
        try
        {
            var views = new RowView[rows.Length];
            for (var i = 0; i < rows.Length; i++)
                views[i] = new RowView
                {
                    Inputs = (TensorView*)Views(rows[i].Inputs, handles), InputCount = (uint)rows[i].Inputs.Length,
                    Outputs = (TensorView*)Views(rows[i].Outputs, handles), OutputCount = (uint)rows[i].Outputs.Length,
                    ParameterDigest = (byte*)Pin((rows[i].Parameters ?? TensorSetDigest.NoParameters).ToArray(), handles),
                    FirstSlot = rows[i].FirstSlot, RowCount = rows[i].Rows,
                };
            return sealer.Seal(new BatchToSeal { Context = context.Encode(), BatchRows = batchRows, Rows = views }).Receipt(row);
        }
        finally
        {
            foreach (var handle in handles) handle.Free();
        }
    }

    private static nint Views(NamedTensor[] tensors, List<GCHandle> handles)
    {
        var views = tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal).Select(tensor =>
        {
            var header = TensorSetDigest.Header(tensor.Name, (byte)tensor.Type, tensor.Shape.Span, tensor.Data.Length);
            return new TensorView { Header = (byte*)Pin(header, handles), HeaderLength = (ulong)header.Length, Data = (byte*)Pin(tensor.Data.ToArray(), handles), DataLength = (ulong)tensor.Data.Length };
        }).ToArray();
        return Pin(MemoryMarshal.AsBytes<TensorView>(views).ToArray(), handles);
    }

    private static nint Pin(byte[] bytes, List<GCHandle> handles)
    {
        var handle = GCHandle.Alloc(bytes, GCHandleType.Pinned);
        handles.Add(handle);
        return handle.AddrOfPinnedObject();
    }
}
