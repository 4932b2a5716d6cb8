namespace OpenGradient.Engine.Benchmarks.LanguageModels.Points;

/// <summary>One part of the run over one model in one precision: measures, checks what it counted, and leaves rows and keys in the figures.</summary>
internal interface IPoint
{
    /// <summary>As <c>--only</c> names it.</summary>
    string Name { get; }

    Task RunAsync(BenchContext context, ModelPair pair);
}
