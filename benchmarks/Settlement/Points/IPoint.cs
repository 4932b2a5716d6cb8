namespace OpenGradient.Engine.Benchmarks.Settlement.Points;

/// <summary>One part of the run: measures, checks what it counted, and leaves its rows and keys in the context's figures.</summary>
internal interface IPoint
{
    /// <summary>As <c>--only</c> names it.</summary>
    string Name { get; }

    Task RunAsync(BenchContext context);
}
