using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Serving;

/// <summary>
/// The headers (docs/formats.md, "Tensor-set digest") of one tensor in native memory: kept per row count when its inner
/// dimensions are fixed, otherwise made for one batch and freed by <see cref="EndBatch"/>. Used by one thread.
/// </summary>
internal sealed unsafe class TensorHeaders(TensorSpec spec) : IDisposable
{
    // More rows than this in one request are rare enough to pay for their header each time.
    private const int MaxKept = 256;

    private readonly (nint Header, int Length)[] _kept = new (nint, int)[spec.StaticRowElements >= 0 && spec.Rank > 0 ? MaxKept + 1 : 0];
    private readonly List<nint> _passing = [];
    private readonly long[] _shape = new long[8];

    /// <param name="shape">The batch's dimensions.</param>
    /// <param name="rows">The request's first dimension; −1 to keep the batch's.</param>
    public TensorView View(ReadOnlySpan<long> shape, int rows, byte* data, long length)
    {
        var (header, headerLength) = rows >= 0 && rows < _kept.Length ? Kept(shape, rows, length) : Passing(shape, rows, length);
        return new TensorView { Header = (byte*)header, HeaderLength = (ulong)headerLength, Data = data, DataLength = (ulong)length };
    }

    public void EndBatch()
    {
        if (_passing.Count == 0) return;
        foreach (var header in _passing) NativeMemory.Free((void*)header);
        _passing.Clear();
    }

    public void Dispose()
    {
        EndBatch();
        for (var i = 0; i < _kept.Length; i++)
        {
            NativeMemory.Free((void*)_kept[i].Header);
            _kept[i] = default;
        }
    }

    private (nint Header, int Length) Kept(ReadOnlySpan<long> shape, int rows, long length)
    {
        ref var kept = ref _kept[rows];
        if (kept.Header == 0) kept = Make(shape, rows, length);
        return kept;
    }

    private (nint Header, int Length) Passing(ReadOnlySpan<long> shape, int rows, long length)
    {
        var made = Make(shape, rows, length);
        _passing.Add(made.Header);
        return made;
    }

    private (nint Header, int Length) Make(ReadOnlySpan<long> shape, int rows, long length)
    {
        var own = shape.Length <= _shape.Length ? _shape.AsSpan(0, shape.Length) : new long[shape.Length];
        shape.CopyTo(own);
        if (rows >= 0) own[0] = rows;
        var bytes = TensorSetDigest.Header(spec.Name, (byte)spec.Type, own, length);
        var native = (byte*)NativeMemory.Alloc((nuint)bytes.Length);
        bytes.CopyTo(new Span<byte>(native, bytes.Length));
        return ((nint)native, bytes.Length);
    }
}
