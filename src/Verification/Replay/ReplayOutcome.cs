namespace OpenGradient.Engine.Verification.Replay;

/// <summary>What executing a receipt's row again showed: a closed set.</summary>
public enum ReplayOutcome
{
    /// <summary>The execution here gave the committed bits.</summary>
    Reproduced,

    /// <summary>Everything that the statement names is the same here, and the bits are others.</summary>
    Differs,

    /// <summary>The bits are others, and so is something that the statement's fingerprint names.</summary>
    NotReproducibleHere,

    /// <summary>The model's identity is not the statement's; nothing was executed.</summary>
    WrongModel,

    /// <summary>The input's digest is not the receipt's; nothing was executed.</summary>
    WrongInput,

    /// <summary>The row is reproduced, but the answer given beside it is not the one that the receipt commits to.</summary>
    WrongOutput,

    /// <summary>Other bits, or none, from a row that nobody promised could be executed again; the reason says why.</summary>
    Unreplayable,

    /// <summary>Receipt and statement contradict each other or themselves; nothing was executed.</summary>
    ReceiptInvalid,
}

/// <summary>Why a row cannot be held to its bits: a closed set.</summary>
public enum UnreplayableReason
{
    /// <summary>Class C, and the batch held other requests, whose inputs the receipt does not have.</summary>
    SharedBatch,

    /// <summary>Class U: nobody found out what the row's bits depend on.</summary>
    NotProbed,

    /// <summary>The request had parameters, and this build knows none that a digest could stand for.</summary>
    UnknownParameters,

    /// <summary>The input is the receipt's, and the model, which is the statement's, does not take it.</summary>
    InputDoesNotFit,

    /// <summary>The stated batch is larger than this build executes.</summary>
    TooLarge,

    /// <summary>The model cannot be opened here, or the backend refused the row.</summary>
    BackendFailed,
}

public static class ReplayOutcomes
{
    /// <summary>The outcome as words joined by hyphens, for example <c>not-reproducible-here</c>.</summary>
    public static string Text(this ReplayOutcome outcome) => Hyphenated(outcome.ToString());

    /// <summary>The reason as words joined by hyphens, for example <c>shared-batch</c>.</summary>
    public static string Text(this UnreplayableReason reason) => Hyphenated(reason.ToString());

    private static string Hyphenated(string name) =>
        string.Concat(name.Select((letter, i) => char.IsUpper(letter) ? $"{(i > 0 ? "-" : "")}{char.ToLowerInvariant(letter)}" : $"{letter}"));
}
