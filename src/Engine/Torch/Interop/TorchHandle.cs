using Microsoft.Win32.SafeHandles;

namespace OpenGradient.Engine.Torch.Interop;

/// <summary>Owns one native object, a module or a session, and frees it once, after the last call that uses it.</summary>
internal sealed unsafe class TorchHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly delegate* unmanaged[Cdecl]<nint, void> _free;

    /// <exception cref="TorchException">The library answered OK with a null handle.</exception>
    public TorchHandle(nint value, delegate* unmanaged[Cdecl]<nint, void> free) : base(ownsHandle: true)
    {
        if (value == 0) throw new TorchException("libtorch returned a null handle");
        _free = free;
        SetHandle(value);
    }

    protected override bool ReleaseHandle()
    {
        _free(handle);
        return true;
    }
}
