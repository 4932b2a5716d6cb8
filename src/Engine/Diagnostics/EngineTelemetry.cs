namespace OpenGradient.Engine;

/// <summary>The names under which the engine tells what it does, for listeners of System.Diagnostics (docs/engine.md, "What it tells").</summary>
public static class EngineTelemetry
{
    /// <summary>The <see cref="System.Diagnostics.Metrics.Meter"/> of every engine in the process.</summary>
    public const string MeterName = "OpenGradient.Engine";

    /// <summary>The <see cref="System.Diagnostics.ActivitySource"/> of every engine in the process.</summary>
    public const string ActivitySourceName = "OpenGradient.Engine";
}
