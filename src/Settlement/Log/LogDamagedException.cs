namespace OpenGradient.Engine.Settlement.Log;

/// <summary>The published log does not fit the journal: something was lost, restored from an old copy, or changed.</summary>
public sealed class LogDamagedException : Exception
{
    public LogDamagedException(string message) : base("log: " + message) { }

    public LogDamagedException() { }

    public LogDamagedException(string message, Exception innerException) : base("log: " + message, innerException) { }
}
