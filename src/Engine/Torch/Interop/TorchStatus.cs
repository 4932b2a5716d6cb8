using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Native;

namespace OpenGradient.Engine.Torch.Interop;

/// <summary>The statuses of og_torch.h.</summary>
internal enum TorchStatus
{
    Ok = 0,
    NullArgument = 1,
    OutOfRange = 2,
    State = 3,
    NotFound = 4,
    NotAnArchive = 5,
    Unsupported = 6,
    BadSignature = 7,
    WrongInput = 8,
    Raised = 9,
    WrongOutput = 10,
    SmallBuffer = 11,
    OutOfMemory = 12,
    DeviceMissing = 13,
    DeviceLost = 14,
    Terminated = 15,
    WrongLibrary = 16,
    System = 17,
}

/// <summary>The one place where a native status becomes an exception.</summary>
internal static unsafe class TorchCheck
{
    /// <exception cref="TorchException">The status is not OK.</exception>
    public static void Check(int status, in NativeError error, string step)
    {
        if (status != (int)TorchStatus.Ok) throw new TorchException($"libtorch, {step}: {NameOf(status)}: {NativeError.Describe(error)}");
    }

    /// <exception cref="ModelLoadException">The status is not OK.</exception>
    public static void CheckLoad(int status, in NativeError error, string modelName)
    {
        if (status == (int)TorchStatus.Ok) return;
        throw new ModelLoadException(
            (TorchStatus)status switch
            {
                TorchStatus.NotAnArchive or TorchStatus.BadSignature => ModelLoadReason.Corrupt,
                TorchStatus.DeviceMissing or TorchStatus.DeviceLost => ModelLoadReason.DeviceMissing,
                _ => ModelLoadReason.Unsupported,
            },
            $"model '{modelName}' was refused by libtorch ({NameOf(status)}): {NativeError.Describe(error)}");
    }

    /// <summary>What the library made; disposing waits for the calls that use it.</summary>
    /// <exception cref="TorchException">The library answered OK with a null handle.</exception>
    public static NativeHandle Own(nint value, delegate* unmanaged[Cdecl]<nint, void> free) =>
        value != 0 ? new NativeHandle(value, free) : throw new TorchException("libtorch returned a null handle");

    /// <summary>A device that is missing in a call was there when the module was loaded.</summary>
    public static BackendFaultKind KindOf(int status) => (TorchStatus)status switch
    {
        TorchStatus.OutOfMemory => BackendFaultKind.OutOfMemory,
        TorchStatus.DeviceLost or TorchStatus.DeviceMissing => BackendFaultKind.DeviceLost,
        _ => BackendFaultKind.Call,
    };

    public static string NameOf(int status) =>
        status is >= 0 and <= (int)TorchStatus.System ? ((TorchStatus)status).ToString() : $"status {status}";
}
