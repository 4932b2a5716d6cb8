using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Hosting.Chat;

/// <summary>Signs rows of one answer of another provider, each naming the one before.</summary>
internal sealed unsafe class ExternalSealing(IBatchSealer sealer, ISealedBatchSink? sink, byte[] messages, byte[] options)
{
    // ONNX's number for unsigned bytes.
    private const byte UnsignedBytes = 2;

    private byte[] _previous = new byte[Hash256.Size];

    /// <exception cref="SealingException">The shim refused or the epoch has ended; nothing was signed.</exception>
    public AnswerHead Seal(StatementContext context, byte[] answer, byte finish)
    {
        var batch = Seal(context, [("messages", messages), ("options", options)], [("answer", answer), ("finish", [finish]), ("previous", _previous)]);
        _previous = batch.LeafHash(0).Bytes.ToArray();
        return new AnswerHead(batch.ReceiptId(0), batch.Receipt(0), null, finish == ExternalRow.Ended, TryHandOver(batch));
    }

    /// <summary>What is known of a model that is served elsewhere.</summary>
    public static StatementContext Context(string provider, Uri? address, string model)
    {
        var identity = Hash256.Sha256(new ByteWriter().Tag("OGE external v1"u8)
            .U16(System.Text.Encoding.UTF8.GetByteCount(provider)).Bytes(System.Text.Encoding.UTF8.GetBytes(provider))
            .U16(System.Text.Encoding.UTF8.GetByteCount(model)).Bytes(System.Text.Encoding.UTF8.GetBytes(model)).ToArray());
        return new StatementContext(model, "", identity, new RuntimeFingerprint("external", address?.OriginalString ?? "", Hash256.Zero, provider, "", "", ""), DeterminismClass.U, 1);
    }

    // Ordered by the bytes of their names, as the digest demands.
    private SealedBatch Seal(StatementContext context, (string Name, byte[] Data)[] inputs, (string Name, byte[] Data)[] outputs)
    {
        (string Name, byte[] Data)[] all = [.. inputs, .. outputs];
        byte[][] headers = [.. all.Select(tensor => TensorSetDigest.Header(tensor.Name, UnsignedBytes, [tensor.Data.Length], tensor.Data.Length))];
        var pins = new System.Runtime.InteropServices.GCHandle[2 * all.Length];
        try
        {
            var views = stackalloc TensorView[all.Length];
            for (var i = 0; i < all.Length; i++)
            {
                pins[2 * i] = System.Runtime.InteropServices.GCHandle.Alloc(headers[i], System.Runtime.InteropServices.GCHandleType.Pinned);
                pins[(2 * i) + 1] = System.Runtime.InteropServices.GCHandle.Alloc(all[i].Data, System.Runtime.InteropServices.GCHandleType.Pinned);
                views[i] = new TensorView
                {
                    Header = (byte*)pins[2 * i].AddrOfPinnedObject(), HeaderLength = (ulong)headers[i].Length,
                    Data = (byte*)pins[(2 * i) + 1].AddrOfPinnedObject(), DataLength = (ulong)all[i].Data.Length,
                };
            }

            var parameters = TensorSetDigest.NoParameters;
            var row = new RowView
            {
                Inputs = views, InputCount = (uint)inputs.Length, Outputs = views + inputs.Length, OutputCount = (uint)outputs.Length,
                ParameterDigest = (byte*)&parameters, FirstSlot = 0, RowCount = 1,
            };
            return sealer.Seal(new BatchToSeal { Context = context.Encode(), BatchRows = 1, Rows = new ReadOnlySpan<RowView>(&row, 1) });
        }
        finally
        {
            foreach (var pin in pins)
                if (pin.IsAllocated) pin.Free();
        }
    }

    private bool TryHandOver(SealedBatch batch)
    {
        try
        {
            return sink?.TryAccept(batch) ?? false;
        }
#pragma warning disable CA1031 // The batch is signed: without a sink its receipts are promises that their holders can resubmit.
        catch (Exception)
#pragma warning restore CA1031
        {
            return false;
        }
    }
}
