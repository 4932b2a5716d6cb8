namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>
/// Owns one native object and releases it once. A null handle is refused at creation: the library does not check for null and
/// would take the process down.
/// </summary>
internal sealed unsafe class OrtHandle : IDisposable
{
    private readonly delegate* unmanaged[Cdecl]<nint, void> _release;
    private nint _value;

    public OrtHandle(nint value, delegate* unmanaged[Cdecl]<nint, void> release)
    {
        if (value == 0) throw new OnnxRuntimeException("ONNX Runtime returned a null handle");
        _value = value;
        _release = release;
    }

    /// <exception cref="ObjectDisposedException">Already released.</exception>
    public nint Value
    {
        get
        {
            var value = Volatile.Read(ref _value);
            ObjectDisposedException.ThrowIf(value == 0, this);
            return value;
        }
    }

    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    ~OrtHandle() => Release();

    private void Release()
    {
        var value = Interlocked.Exchange(ref _value, 0);
        if (value != 0) _release(value);
    }
}
