using System.Runtime.InteropServices;

namespace OpenGradient.Engine.Formats;

/// <summary>
/// One tensor of one row, where it lies: the header as docs/formats.md ("Tensor-set digest") lays it out, and its data.
/// The layout is the native shim's <c>og_tensor_view</c>. The pointers are borrowed for the duration of one call.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct TensorView
{
    public byte* Header;
    public ulong HeaderLength;
    public byte* Data;
    public ulong DataLength;
}

/// <summary>
/// One request in an executed batch: its tensors ordered by the bytes of their names. The layout is the shim's <c>og_row_view</c>.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct RowView
{
    public TensorView* Inputs;
    public TensorView* Outputs;

    /// <summary>32 bytes.</summary>
    public byte* ParameterDigest;
    public uint InputCount;
    public uint OutputCount;

    /// <summary>The request's first row within the batch.</summary>
    public uint FirstSlot;

    /// <summary>How many rows of the batch are this request's, 1 to 65,535.</summary>
    public uint RowCount;
}

/// <summary>What one backend call did, ready to be sealed. Everything in it is borrowed for the duration of the call.</summary>
public readonly ref struct BatchToSeal
{
    /// <summary>The encoded <see cref="StatementContext"/> of the loaded model.</summary>
    public required ReadOnlySpan<byte> Context { get; init; }

    /// <summary>First dimension of the executed batch, padding included.</summary>
    public required uint BatchRows { get; init; }

    /// <summary>1 to 65,536 requests.</summary>
    public required ReadOnlySpan<RowView> Rows { get; init; }
}
