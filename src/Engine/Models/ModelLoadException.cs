namespace OpenGradient.Engine;

/// <summary>Why a model could not be loaded.</summary>
public enum ModelLoadReason
{
    /// <summary>The file is missing or cannot be read.</summary>
    Unreadable,

    /// <summary>The file is empty.</summary>
    Empty,

    /// <summary>The bytes are not a model, are cut off, or contradict themselves.</summary>
    Corrupt,

    /// <summary>A valid model that needs something this engine or library does not offer.</summary>
    Unsupported,

    /// <summary>The model keeps weights in other files, and one of them is missing, too short, too large, outside of its folder, or no regular file.</summary>
    ExternalData,

    /// <summary>The asked execution device is not there.</summary>
    DeviceMissing,

    /// <summary>The engine is shutting down.</summary>
    ShuttingDown,
}

/// <summary>A model was not loaded; what served before keeps serving. The message is for the operator.</summary>
public sealed class ModelLoadException : Exception
{
    public ModelLoadException(ModelLoadReason reason, string message, Exception? inner = null) : base(message, inner) => Reason = reason;

    public ModelLoadException(string message) : base(message) { }

    public ModelLoadException() { }

    public ModelLoadException(string message, Exception innerException) : base(message, innerException) { }

    public ModelLoadReason Reason { get; }
}
