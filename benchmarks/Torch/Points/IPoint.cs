namespace OpenGradient.Engine.Benchmarks.Points;

/// <summary>One part of the run: measures, and leaves its rows, texts and keys in the context's figures.</summary>
internal interface IPoint
{
    /// <summary>As <c>--only</c> names it.</summary>
    string Name { get; }

    Task RunAsync(BenchContext context);
}
