using System.Diagnostics;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Benchmarks.Settlement.Growth;

/// <summary>Grows one data folder to each size in turn; at each, restarts over it and asks for receipts from all of its age.</summary>
public static class GrowthRun
{
    private const int Questions = 2_000; // spread over the whole log

    private const double MiB = 1 << 20;

    /// <summary>Statements of 64 receipts each.</summary>
    public static Task<IReadOnlyList<GrowthStep>> RunAsync(long[] receipts, string folder, CancellationToken cancellationToken) => RunAsync(receipts, 64, folder, _ => { }, cancellationToken);

    /// <param name="receipts">Sizes, ascending.</param>
    /// <param name="rows">Receipts per statement.</param>
    /// <param name="folder">An empty folder on the disk that is measured.</param>
    /// <param name="report">Told of each step as soon as it is measured.</param>
    public static async Task<IReadOnlyList<GrowthStep>> RunAsync(long[] receipts, int rows, string folder, Action<GrowthStep> report, CancellationToken cancellationToken)
    {
        var steps = new List<GrowthStep>();
        var log = new GrowthLog();
        var ledger = GrownService.NewLedger();
        long statements = 0;
        var grown = new GrownService(folder, log, ledger);
        try
        {
            foreach (var size in receipts)
            {
                var (first, last) = (statements, (size + rows - 1) / rows);
                var growing = Stopwatch.StartNew();
                for (; statements < last; statements++) await HandOver(grown, log.Batch(statements, rows, Now()), cancellationToken);
                await Settle(grown, cancellationToken);
                var append = growing.Elapsed.TotalMicroseconds / Math.Max(1, (last - first) * rows);

                await grown.DisposeAsync();
                var restarting = Stopwatch.StartNew();
                grown = new GrownService(folder, log, ledger);
                var restart = restarting.Elapsed.TotalSeconds;
                var step = Ask(grown, log, rows, statements) with { Receipts = statements * rows, Statements = statements, AppendMicroseconds = append, RestartSeconds = restart, DiskMiB = SizeOf(folder) / MiB };
                steps.Add(step);
                report(step);
            }
        }
        finally
        {
            await grown.DisposeAsync();
            ledger.Dispose();
        }

        return steps;
    }

    private static ulong Now() => (ulong)(TimeProvider.System.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;

    private static async Task HandOver(GrownService grown, SealedBatch batch, CancellationToken cancellationToken)
    {
        while (grown.Service.RetryAfter() is not null || !grown.Service.TryAccept(batch))
        {
            if (grown.Settling.IsFaulted) await grown.Settling;
            await Task.Delay(1, cancellationToken);
        }
    }

    private static async Task Settle(GrownService grown, CancellationToken cancellationToken)
    {
        while (grown.Service.Snapshot().Open > 0)
        {
            if (grown.Settling.IsFaulted) await grown.Settling;
            await Task.Delay(5, cancellationToken);
        }
    }

    private static GrowthStep Ask(GrownService grown, GrowthLog log, int rows, long statements)
    {
        var (proofs, statuses) = (new List<double>(), new List<double>());
        long failed = 0;
        var random = new Random(1);
        for (var i = 0; i < Questions; i++)
        {
            var number = random.NextInt64(statements);
            var batch = log.Batch(number, rows, 0); // another time than it had: other statement, same receipts
            var row = random.Next(rows);
            var asking = Stopwatch.GetTimestamp();
            var status = grown.Service.Find(batch.ReceiptId(row));
            statuses.Add(Stopwatch.GetElapsedTime(asking).TotalMilliseconds);
            asking = Stopwatch.GetTimestamp();
            var proof = grown.Service.GetProof(batch.ReceiptId(row));
            proofs.Add(Stopwatch.GetElapsedTime(asking).TotalMilliseconds);
            if (status is null || proof?.Inclusion is not { } path || proof.Checkpoint is not { } signed || proof.Anchor is null || status.Statement.Stage != ReceiptStage.Final || status.Leaf != batch.LeafHash(row)
                || MerkleTree.RootFromPath(proof.StatementId, path.LeafIndex, path.TreeSize, path.Path) != signed.Root) failed++;
        }

        proofs.Sort();
        statuses.Sort();
        var managed = GC.GetTotalMemory(forceFullCollection: true) / MiB;
        var process = Process.GetCurrentProcess().WorkingSet64 / MiB;
        return new(0, 0, 0, At(proofs, 0.99), At(proofs, 0.5), At(statuses, 0.99), 0, managed, process, 0, (long)grown.Service.Storage.ArchivedStatements, Questions, failed);
    }

    private static double At(List<double> sorted, double quantile) => sorted[(int)Math.Min(sorted.Count - 1, sorted.Count * quantile)];

    private static long SizeOf(string folder) => new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
}
