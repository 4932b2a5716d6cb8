namespace OpenGradient.Engine.LanguageModels;

/// <summary>The names under which language models tell what they do, for listeners of System.Diagnostics.</summary>
public static class LanguageModelTelemetry
{
    /// <summary>The <see cref="System.Diagnostics.Metrics.Meter"/> of every language model in the process.</summary>
    public const string MeterName = "OpenGradient.Engine.LanguageModels";
}
