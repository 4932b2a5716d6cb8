using System.Runtime.InteropServices;

namespace OpenGradient.Engine.LanguageModels.Kernels.Interop;

/// <summary>
/// Owns one ogk_model. The reference count that P/Invoke would keep is kept here by <see cref="Borrow"/>, so that freeing
/// waits for the call that is inside the library.
/// </summary>
internal sealed unsafe class ModelHandle : SafeHandle
{
    private readonly KernelFunctions _functions;

    public ModelHandle(KernelFunctions functions, nint model) : base(0, ownsHandle: true)
    {
        _functions = functions;
        SetHandle(model);
    }

    public override bool IsInvalid => handle == 0;

    /// <exception cref="ObjectDisposedException">The model was freed.</exception>
    public Loan Borrow()
    {
        var taken = false;
        DangerousAddRef(ref taken);
        return new Loan(this);
    }

    protected override bool ReleaseHandle()
    {
        _functions.ModelFree(handle);
        return true;
    }

    public readonly ref struct Loan(ModelHandle owner)
    {
        public nint Model => owner.handle;

        public void Dispose() => owner.DangerousRelease();
    }
}
