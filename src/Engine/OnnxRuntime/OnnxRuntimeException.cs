namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>ONNX Runtime could not be loaded or refused a step of the operator's (never of a remote caller's).</summary>
public sealed class OnnxRuntimeException : Exception
{
    public OnnxRuntimeException(string step, OrtErrorCode code, string detail)
        : base($"ONNX Runtime, {step}: {code}: {detail}")
    {
        Step = step;
        Code = code;
    }

    public OnnxRuntimeException(string message) : base(message) { }

    public OnnxRuntimeException() { }

    public OnnxRuntimeException(string message, Exception innerException) : base(message, innerException) { }

    /// <summary>The step that failed, in words.</summary>
    public string Step { get; } = "load";

    public OrtErrorCode Code { get; } = OrtErrorCode.Fail;
}
