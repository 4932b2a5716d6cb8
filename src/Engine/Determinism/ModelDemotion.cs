using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Determinism;

/// <summary>A served model's row was executed again and gave other bits, so its later statements claim less.</summary>
/// <param name="From">The class that statements claimed.</param>
/// <param name="To">The class that they claim from now on.</param>
/// <param name="Reason">In words, for the operator.</param>
public sealed record ModelDemotion(string Model, string Version, DeterminismClass From, DeterminismClass To, string Reason);
