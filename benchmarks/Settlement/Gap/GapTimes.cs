using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Benchmarks.Settlement.Report;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Benchmarks.Settlement.Gap;

/// <summary>Every answered receipt's own stage times, read where the host serves them from, and the checks that go with them.</summary>
internal sealed class GapTimes(SettlementService service, EnclaveEpoch epoch, NativeSignatures signatures)
{
    private readonly StatementChecker _statements = new(signatures, statement => statement.Epoch == epoch.Epoch.Id ? epoch.PublicKey : default);

    // By statement: what is known of it, and whether its proof leads to the checkpoint. A batch's receipts share both.
    private readonly Dictionary<Hash256, (StatementStatus? Status, bool Proven)> _known = [];

    public long Held { get; private set; }

    public long Failed { get; private set; }

    /// <summary>Milliseconds from execution to each stage over all receipts; for <c>executed</c> from the intended arrival to the answer.</summary>
    public Dictionary<string, Spread> Measure(IReadOnlyCollection<Answered> answers)
    {
        var times = Figures.Stages.ToDictionary(stage => stage, _ => new List<double>(answers.Count));
        foreach (var answer in answers)
        {
            var (status, proven) = Of(answer.Batch);
            if (status is not { Stage: ReceiptStage.Final, DurableAt: { } durable, VerifiedAt: { } verified, AnchoredAt: { } anchored, FinalAt: { } final } || !proven || !RowHolds(answer))
            {
                Failed++;
                continue;
            }

            Held++;
            times["executed"].Add(answer.AnswerMs);
            times["durable"].Add(Since(status, durable));
            times["verified"].Add(Since(status, verified));
            times["anchored"].Add(Since(status, anchored));
            times["final"].Add(Since(status, final));
        }

        return times.Where(pair => pair.Value.Count > 0).ToDictionary(pair => pair.Key, pair => SpreadOf(pair.Value));
    }

    private (StatementStatus? Status, bool Proven) Of(SealedBatch batch)
    {
        if (_known.TryGetValue(batch.StatementId, out var known)) return known;
        var proof = service.GetProof(batch.StatementId);
        var proven = proof is { Inclusion: { } inclusion, Checkpoint: { } checkpoint, Anchor: not null }
            && MerkleTree.RootFromPath(batch.StatementId, inclusion.LeafIndex, inclusion.TreeSize, inclusion.Path) == checkpoint.Root
            && _statements.Check(batch.Statement) is not null;
        return _known[batch.StatementId] = (service.Find(batch.StatementId), proven);
    }

    private bool RowHolds(in Answered answer)
    {
        var receipt = answer.Batch.Receipt(answer.Row);
        return _statements.Check(answer.Batch.Statement) is { } statement
            && MerkleTree.RootFromPath(receipt.LeafHash, receipt.Row, statement.Receipts, receipt.Path) == statement.RowsRoot
            && service.Find(receipt.Id) is { Statement.Stage: ReceiptStage.Final };
    }

    private static double Since(StatementStatus status, ulong time) => Math.Max(0, (double)time - status.ExecutedAt) / 1e6;

    private static Spread SpreadOf(List<double> values)
    {
        values.Sort();
        return new Spread(At(0.50), At(0.99));

        double At(double fraction) => values[Math.Min(values.Count - 1, (int)(values.Count * fraction))];
    }
}
