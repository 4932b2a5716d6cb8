using System.Runtime.InteropServices;

namespace OpenGradient.Engine.Attestation.Interop;

/// <summary>
/// Owns one og_epoch. The reference count that P/Invoke would keep is kept here by <see cref="Borrow"/>, so that closing
/// waits for the calls that are inside the shim.
/// </summary>
internal sealed unsafe class EpochHandle : SafeHandle
{
    private readonly ShimFunctions _functions;

    public EpochHandle(ShimFunctions functions, nint epoch) : base(0, ownsHandle: true)
    {
        _functions = functions;
        SetHandle(epoch);
    }

    public override bool IsInvalid => handle == 0;

    /// <exception cref="ObjectDisposedException">The epoch was closed.</exception>
    public Loan Borrow()
    {
        var taken = false;
        DangerousAddRef(ref taken);
        return new Loan(this);
    }

    protected override bool ReleaseHandle()
    {
        _functions.EpochClose(handle);
        return true;
    }

    public readonly ref struct Loan(EpochHandle owner)
    {
        public nint Epoch => owner.handle;

        public void Dispose() => owner.DangerousRelease();
    }
}
