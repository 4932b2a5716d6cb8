namespace OpenGradient.Engine.Torch;

/// <summary>libtorch, or libog_torch.so over it, could not be loaded or refused a step of the operator's (never of a remote caller's).</summary>
public sealed class TorchException : Exception
{
    public TorchException(string message) : base(message) { }

    public TorchException() { }

    public TorchException(string message, Exception innerException) : base(message, innerException) { }

    internal TorchException(string path, string problem) : base($"the library '{path}' cannot be used: {problem}") { }
}
