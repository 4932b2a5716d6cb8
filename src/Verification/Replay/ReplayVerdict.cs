using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification.Replay;

/// <summary>From what was found to one of the outcomes. One per replay.</summary>
internal sealed class ReplayVerdict(ReceiptContent content, IReadOnlyList<FingerprintDifference> fingerprint)
{
    private readonly StatementContext _context = content.Statement.Context;

    /// <summary>What executes here; null where nothing was opened.</summary>
    public RuntimeFingerprint? Here { get; init; }

    public static ReplayResult Invalid(IReadOnlyList<VerificationFailure> failures) => new()
    {
        Outcome = ReplayOutcome.ReceiptInvalid,
        Detail = "receipt and statement do not belong together",
        Failures = failures,
    };

    public ReplayResult WrongModel(Hash256 identity) => NotExecuted(
        ReplayOutcome.WrongModel, $"the model's identity is {identity}; the receipt is for '{_context.ModelName}' {_context.ModelVersion} with identity {_context.ModelIdentity}");

    public ReplayResult NoModel(string detail) => NotExecuted(ReplayOutcome.WrongModel, $"{detail}; the receipt is for '{_context.ModelName}' {_context.ModelVersion} with identity {_context.ModelIdentity}");

    public ReplayResult WrongInput(Hash256 digest, string? malformed) => NotExecuted(
        ReplayOutcome.WrongInput, malformed is not null ? $"the input is no set of tensors: {malformed}" : $"the input has digest {digest}; the receipt is for one with digest {content.Leaf.Request}");

    public ReplayResult Refused(UnreplayableReason reason, string detail) => NotExecuted(ReplayOutcome.Unreplayable, detail) with { Reason = reason };

    public ReplayResult Executed(ReplayShape shape, IReadOnlyList<NamedTensor> outputs, Hash256 executed, bool? inPlace, KnownAnswer? answer, double? tolerance)
    {
        var equal = executed == content.Leaf.Output;
        var whole = answer?.CompletedBy(outputs);
        bool? committed = whole is null ? null : IsCommitted(whole);
        var comparison = whole is null ? null : new TensorComparison(whole, outputs, tolerance);
        var outcome = OutcomeOf(equal, committed, out var reason);
        return NotExecuted(outcome, "") with
        {
            Detail = Sentence(outcome, reason, inPlace, committed, comparison),
            Reason = reason,
            Shape = shape,
            Fingerprint = fingerprint,
            Executed = executed,
            Outputs = outputs,
            EqualInPlace = inPlace,
            AnswerIsCommitted = committed,
            First = comparison?.First,
            Deviations = comparison?.Deviations ?? [],
            // Closeness to an answer that the receipt does not commit to says nothing about the receipt.
            WithinTolerance = committed == true ? comparison!.Within : null,
        };
    }

    private ReplayResult NotExecuted(ReplayOutcome outcome, string detail) => new()
    {
        Outcome = outcome, Detail = detail, Statement = content.Statement, Committed = content.Leaf.Output, Runtime = Here,
    };

    private bool IsCommitted(IReadOnlyList<NamedTensor> answer)
    {
        try
        {
            return NamedTensor.DigestOf(answer) == content.Leaf.Output;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private ReplayOutcome OutcomeOf(bool equal, bool? committed, out UnreplayableReason? reason)
    {
        reason = null;
        if (equal) return committed == false ? ReplayOutcome.WrongOutput : ReplayOutcome.Reproduced;
        reason = ReplayPlan.Reservation(content);
        if (reason is not null) return ReplayOutcome.Unreplayable;
        return fingerprint.Count > 0 ? ReplayOutcome.NotReproducibleHere : ReplayOutcome.Differs;
    }

    private string Sentence(ReplayOutcome outcome, UnreplayableReason? reason, bool? inPlace, bool? committed, TensorComparison? comparison)
    {
        var sentence = outcome switch
        {
            ReplayOutcome.Reproduced => "the execution here gave the committed bits" + (ReplayPlan.Reservation(content) is { } luck ? $", which {Promise(luck)}" : ""),
            ReplayOutcome.WrongOutput => "the execution here gave the committed bits, but the answer given is another than the receipt's",
            ReplayOutcome.NotReproducibleHere => $"fingerprint {string.Join("; ", fingerprint)}",
            ReplayOutcome.Unreplayable => $"the bits differ, which {Promise(reason!.Value)}",
            _ => "the execution here gave other bits than the committed ones, under the stated fingerprint",
        };
        if (inPlace == true) sentence += "; at the receipt's own batch size and slot the bits are equal, so class A was stated wrongly";
        if (outcome is ReplayOutcome.Reproduced) return sentence;
        if (committed == false && outcome != ReplayOutcome.WrongOutput) sentence += "; the answer given is not the one that the receipt commits to";
        if (comparison?.First is { } first) sentence += $": {first}";
        else if (comparison?.Deviations.FirstOrDefault(deviation => deviation.Mismatch is not null) is { } other) sentence += $": {other.Mismatch}";
        return sentence;
    }

    private static string Promise(UnreplayableReason reason) => reason == UnreplayableReason.SharedBatch
        ? "nobody promised: the model's class is C, and the batch held other requests"
        : "nobody promised: the model was not probed (class U)";
}
