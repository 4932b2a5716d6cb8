using System.Runtime.InteropServices;

namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>The codes of <c>OrtErrorCode</c>.</summary>
public enum OrtErrorCode
{
    Ok = 0,
    Fail = 1,
    InvalidArgument = 2,
    NoSuchFile = 3,
    NoModel = 4,
    EngineError = 5,
    RuntimeException = 6,
    InvalidProtobuf = 7,
    ModelLoaded = 8,
    NotImplemented = 9,
    InvalidGraph = 10,
    EpFail = 11,
}

/// <summary>What an <c>OrtStatus</c> said. The message can name files and source lines: it is for the operator, never for a remote caller.</summary>
internal sealed record OrtError(OrtErrorCode Code, string Message);

/// <summary>The one place where an <c>OrtStatus</c> is read, released, and becomes a value or an exception.</summary>
internal static unsafe class OrtStatus
{
    /// <summary>Takes ownership of the status. Null for success.</summary>
    public static OrtError? Take(OrtApi api, nint status)
    {
        if (status == 0) return null;
        var error = new OrtError((OrtErrorCode)api.GetErrorCode(status), Marshal.PtrToStringUTF8((nint)api.GetErrorMessage(status)) ?? "");
        api.ReleaseStatus(status);
        return error;
    }

    /// <exception cref="OnnxRuntimeException">The status is not success.</exception>
    public static void Check(OrtApi api, nint status, string step)
    {
        if (Take(api, status) is { } error) throw new OnnxRuntimeException(step, error.Code, error.Message);
    }
}
