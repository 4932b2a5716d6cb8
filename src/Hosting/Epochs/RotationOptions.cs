namespace OpenGradient.Engine.Hosting.Epochs;

/// <summary>When a key is replaced, and how long the one before is kept.</summary>
public sealed record RotationOptions
{
    /// <summary>Statements signed; null for no limit. Looked at once a second, so a key may sign some more.</summary>
    public long? AfterStatements { get; init; }

    /// <summary>Age of the key; null for no limit.</summary>
    public TimeSpan? After { get; init; }

    /// <summary>From the rotation until the replaced key is zeroed.</summary>
    public required TimeSpan Overlap { get; init; }
}

/// <summary>Why a key was replaced: a closed set.</summary>
public enum RotationReason
{
    /// <summary>It had signed as many statements as one key may.</summary>
    Statements,

    /// <summary>It was as old as a key may become.</summary>
    Age,

    /// <summary>An operator asked.</summary>
    Asked,
}

/// <summary>What became of a rotation.</summary>
/// <param name="Begun">The epoch that signs now; null when nothing changed.</param>
/// <param name="Refusal">Why nothing changed.</param>
public sealed record RotationOutcome(EpochStatus? Begun, string? Refusal)
{
    public static RotationOutcome Refused(string why) => new(null, why);
}
