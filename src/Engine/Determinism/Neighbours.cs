namespace OpenGradient.Engine.Determinism;

/// <summary>What stands in the other slots of a batch in which one request is executed again.</summary>
public enum NeighbourKind
{
    /// <summary>Zeros, as padding has them.</summary>
    Zero,

    /// <summary>The request's own rows, repeated: what the model accepted once it accepts again.</summary>
    Copies,

    /// <summary>Floats from a normal distribution, other types 0 or 1.</summary>
    Random,

    /// <summary>As random, floats a thousand times as large: what a scale over the whole batch reacts to.</summary>
    Extreme,
}

/// <summary>The neighbours of a re-executed request.</summary>
/// <param name="Seed">Equal seeds give equal neighbours; used by the random kinds.</param>
public readonly record struct Neighbours(NeighbourKind Kind, ulong Seed = 0)
{
    public static Neighbours Zero { get; } = new(NeighbourKind.Zero);

    public static Neighbours Copies { get; } = new(NeighbourKind.Copies);

    public static Neighbours Random(ulong seed) => new(NeighbourKind.Random, seed);

    public static Neighbours Extreme(ulong seed) => new(NeighbourKind.Extreme, seed);
}
