using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification.Replay;

/// <summary>How a row was executed again.</summary>
/// <param name="Rows">The request's rows.</param>
/// <param name="BatchRows">Rows of the call, padding and neighbours included.</param>
/// <param name="FirstSlot">The request's first row within the call.</param>
/// <param name="Alone">Whether the call held this request and padding only; otherwise dummy neighbours stood in the receipt's other slots.</param>
public sealed record ReplayShape(int Rows, int BatchRows, int FirstSlot, bool Alone);

/// <summary>What a replay found. Signature and evidence are not part of it: that is <see cref="BundleVerifier"/>'s job.</summary>
public sealed record ReplayResult
{
    public required ReplayOutcome Outcome { get; init; }

    /// <summary>One sentence for people.</summary>
    public required string Detail { get; init; }

    /// <summary>The statement, null when it could not be read.</summary>
    public Statement? Statement { get; init; }

    /// <summary>Why the row is unreplayable; null with every other outcome.</summary>
    public UnreplayableReason? Reason { get; init; }

    /// <summary>What contradicts what in the receipt.</summary>
    public IReadOnlyList<VerificationFailure> Failures { get; init; } = [];

    /// <summary>How the row was executed; null when it was not.</summary>
    public ReplayShape? Shape { get; init; }

    /// <summary>What differs between the stated execution and the one here, whether or not it changed bits; empty also when nothing was executed.</summary>
    public IReadOnlyList<FingerprintDifference> Fingerprint { get; init; } = [];

    /// <summary>The output digest of the receipt.</summary>
    public Hash256? Committed { get; init; }

    /// <summary>The output digest of the execution here; null when there was none.</summary>
    public Hash256? Executed { get; init; }

    /// <summary>The outputs of the execution here; empty when there was none.</summary>
    public IReadOnlyList<NamedTensor> Outputs { get; init; } = [];

    /// <summary>What executed here; null when nothing was opened.</summary>
    public RuntimeFingerprint? Runtime { get; init; }

    /// <summary>
    /// Of a class A row that differs alone: whether it has the committed bits at its own batch size and slot, which shows that
    /// the class is wrong rather than the answer. Null when that was not tried.
    /// </summary>
    public bool? EqualInPlace { get; init; }

    /// <summary>Whether the answer that was given has the committed digest; null without one, or without an execution.</summary>
    public bool? AnswerIsCommitted { get; init; }

    /// <summary>The first element of the given answer that differs from the execution here; null when none does, or no answer was given.</summary>
    public ElementDifference? First { get; init; }

    /// <summary>Outputs of the given answer that differ from the execution here.</summary>
    public IReadOnlyList<TensorDeviation> Deviations { get; init; } = [];

    /// <summary>Whether the committed answer is within the tolerance of the execution here; null when no committed answer was given, or nothing was executed.</summary>
    public bool? WithinTolerance { get; init; }
}
