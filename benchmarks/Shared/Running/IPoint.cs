namespace OpenGradient.Engine.Benchmarks;

/// <summary>One part of a run: measures, checks what it counted, and leaves its rows, texts and keys in the context's figures.</summary>
internal interface IPoint<in TContext>
{
    /// <summary>As <c>--only</c> names it.</summary>
    string Name { get; }

    Task RunAsync(TContext context);
}
