using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Verification.Audit;

/// <summary>Makes fraud bundles, and says of one whether it holds by itself (docs/formats.md, "Fraud bundle").</summary>
public static class FraudCheck
{
    /// <summary>The bundle of a disputed row.</summary>
    /// <param name="finding">Disputed.</param>
    /// <param name="time">Nanoseconds since 1970.</param>
    public static FraudBundle BundleOf(RetainedRow row, AuditFinding finding, ReceiptBundle receipt, AuditBeacon beacon, uint oneIn, ulong time)
    {
        var replay = finding.Replay ?? throw new ArgumentException("only a disputed row has a fraud bundle", nameof(finding));
        var (statement, shape) = (replay.Statement!, replay.Shape!);
        var isCommitted = Hash256.Sha256(row.Output.Span) == RowLeaf.Decode(row.Receipt.Leaf.Span).Output;
        return new FraudBundle
        {
            Receipt = receipt,
            Beacon = beacon,
            OneIn = oneIn,
            Input = row.Input,
            ClaimedOutput = isCommitted ? row.Output : default(ReadOnlyMemory<byte>?),
            OwnOutput = TensorSets.Write(replay.Outputs),
            OwnContext = statement.Context with { Runtime = replay.Runtime! },
            Finding = new FraudFinding(time, (uint)shape.Rows, (uint)shape.BatchRows, (uint)shape.FirstSlot, finding.Detail),
        };
    }

    /// <summary>
    /// Every reason why the bundle does not show what it claims, by its bytes alone; empty when it does. Whether the receipt's
    /// signatures and proof hold is <see cref="BundleVerifier"/>'s to say, and whether the outputs are the model's is said by
    /// executing the row once more.
    /// </summary>
    public static IReadOnlyList<string> Contradictions(FraudBundle bundle)
    {
        var found = new List<string>();
        if (ReceiptContent.Read(bundle.Receipt.Receipt, out var failures) is not { } content) return [.. failures.Select(failure => failure.ToString())];
        if (Hash256.Sha256(bundle.Input.Span) != content.Leaf.Request) found.Add("the input is not the one that the receipt commits to");
        if (bundle.ClaimedOutput is { } claimed && Hash256.Sha256(claimed.Span) != content.Leaf.Output) found.Add("the claimed output is not the one that the receipt commits to");
        if (Hash256.Sha256(bundle.OwnOutput.Span) == content.Leaf.Output) found.Add("the auditor's output is the one that the receipt commits to: nothing differs");
        if (bundle.OwnContext.ModelIdentity != content.Statement.Context.ModelIdentity) found.Add("the auditor executed another model");
        if (content.Statement.Context.Determinism is not (DeterminismClass.A or DeterminismClass.B)) found.Add($"class {content.Statement.Context.Determinism} promises no bits");
        foreach (var difference in FingerprintDifference.Between(content.Statement.Context.Runtime, bundle.OwnContext.Runtime)) found.Add($"the auditor's runtime is another: {difference}");
        foreach (var (name, bytes) in new[] { ("input", bundle.Input), ("claimed output", bundle.ClaimedOutput ?? bundle.OwnOutput), ("auditor's output", bundle.OwnOutput) })
            if (Malformed(bytes) is { } why) found.Add($"the {name} cannot be read: {why}");
        CheckDraw(bundle, content, found);
        return found;
    }

    /// <summary>What differs between the claimed output and the auditor's, output by output; empty where the claimed one was not kept.</summary>
    public static (ElementDifference? First, IReadOnlyList<TensorDeviation> Deviations) Differences(FraudBundle bundle)
    {
        if (bundle.ClaimedOutput is not { } claimed) return (null, []);
        var comparison = new TensorComparison(TensorSets.Read(claimed), TensorSets.Read(bundle.OwnOutput), tolerance: null);
        return (comparison.First, comparison.Deviations);
    }

    /// <summary>The input's tensors, for whoever executes the row once more.</summary>
    /// <exception cref="FormatException">The bundle's input is malformed.</exception>
    public static IReadOnlyList<NamedTensor> InputOf(FraudBundle bundle) => TensorSets.Read(bundle.Input);

    /// <summary>The claimed answer, null where it was not kept.</summary>
    /// <exception cref="FormatException">The bundle's output is malformed.</exception>
    public static KnownAnswer? AnswerOf(FraudBundle bundle) => bundle.ClaimedOutput is { } claimed ? new KnownAnswer(TensorSets.Read(claimed)) : null;

    private static void CheckDraw(FraudBundle bundle, ReceiptContent content, List<string> found)
    {
        if (bundle.Receipt is not { Inclusion: { } inclusion, Checkpoint: { } checkpoint, Anchor: { } anchor })
        {
            found.Add("the receipt has no proof up to its anchor: the draw cannot be recomputed");
            return;
        }

        if (bundle.Beacon.BlockNumber != anchor.BlockNumber + AuditDraw.BeaconDistance)
            found.Add($"the beacon is block {bundle.Beacon.BlockNumber}; of an anchor in block {anchor.BlockNumber} it is block {anchor.BlockNumber + AuditDraw.BeaconDistance}");
        if (bundle.OneIn == 0) found.Add("a rate of one in 0");
        else if (!AuditDraw.Of(content.Statement.LogId, checkpoint.Size, checkpoint.Root, checkpoint.ChainId, bundle.Beacon, bundle.OneIn).IsDue(inclusion.LeafIndex, bundle.Receipt.Receipt.Row))
            found.Add($"the draw did not pick row {bundle.Receipt.Receipt.Row} of leaf {inclusion.LeafIndex}");
    }

    private static string? Malformed(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            TensorSets.Read(bytes);
            return null;
        }
        catch (FormatException error)
        {
            return error.Message;
        }
    }
}
