using System.Runtime.InteropServices;

namespace OpenGradient.Engine.Native;

/// <summary>
/// Owns one object of a native library and frees it once. The reference count that P/Invoke would keep is kept here by
/// <see cref="Borrow"/>, so that freeing waits for the calls that are inside the library.
/// </summary>
internal sealed unsafe class NativeHandle : SafeHandle
{
    private readonly delegate* unmanaged[Cdecl]<nint, void> _free;

    public NativeHandle(nint value, delegate* unmanaged[Cdecl]<nint, void> free) : base(0, ownsHandle: true)
    {
        _free = free;
        SetHandle(value);
    }

    public override bool IsInvalid => handle == 0;

    /// <exception cref="ObjectDisposedException">The object was freed, or will be when the calls that hold it end.</exception>
    public Loan Borrow()
    {
        var taken = false;
        DangerousAddRef(ref taken);
        return new Loan(this);
    }

    protected override bool ReleaseHandle()
    {
        _free(handle);
        return true;
    }

    public readonly ref struct Loan(NativeHandle owner)
    {
        public nint Value => owner.handle;

        public void Dispose() => owner.DangerousRelease();
    }
}
