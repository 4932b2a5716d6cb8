using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement;

namespace OpenGradient.Engine.Benchmarks.Settlement.Pipeline;

/// <summary>Whether a service that was opened again knows every receipt at its stage, and every statement at a leaf of its own.</summary>
internal static class LogCheck
{
    public static (long Held, long Failed) Run(SettlementService service, IReadOnlyCollection<SealedBatch> batches, ReceiptStage atLeast)
    {
        long held = 0, failed = 0;
        var leaves = new HashSet<ulong>();
        foreach (var batch in batches)
        {
            var statement = service.Find(batch.StatementId);
            var placed = statement is { Leaf: { } leaf } && statement.Receipts == batch.Count && leaves.Add(leaf)
                && service.ReadStatement(batch.StatementId) is { } bytes && bytes.AsSpan().SequenceEqual(batch.Statement.Span);
            for (var row = 0; row < batch.Count; row++)
            {
                var found = placed ? service.Find(batch.ReceiptId(row)) : null;
                if (found is not null && found.Row == row && found.Leaf == batch.LeafHash(row) && found.Statement.StatementId == batch.StatementId
                    && found.Statement.Stage >= atLeast && found.Statement.Stage is not (ReceiptStage.Quarantined or ReceiptStage.Reopened)) held++;
                else failed++;
            }
        }

        // A leaf too many is a statement that was logged twice, or one that nobody sealed.
        return (held, failed + (long)(service.LogSizes.Size - (ulong)leaves.Count));
    }
}
