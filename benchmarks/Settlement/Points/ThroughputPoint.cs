using System.Diagnostics;
using OpenGradient.Engine.Benchmarks.Settlement.Pipeline;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Benchmarks.Settlement.Points;

/// <summary>
/// Receipts per second through outbox, verifier and log, handed over as fast as they are taken. Statements are signed before the
/// measured time. There is no chain: leaves are appended to the log, but no checkpoint is due, so no tiles are written.
/// </summary>
internal sealed class ThroughputPoint : IPoint<BenchContext>
{
    private const int Rows = 64;
    private const double Reach = 100_000;
    private static readonly EvmAddress NoContract = EvmAddress.Parse("0x00000000000000000000000000000000000000cc");

    public string Name => "throughput";

    public async Task RunAsync(BenchContext context)
    {
        var quick = context.Options.Quick;
        var folder = context.NewFolder(Name);
        try
        {
            using var installation = new Installation(context.Shim, folder.FullName, Installation.NoNode, 31337, NoContract);
            var batches = PresignedBatches.Make(installation.Epoch, quick ? 4096 : 32_768, Rows);
            var rounds = new List<Round>();
            await MeasureAsync(installation, folder.CreateSubdirectory("warm-up").FullName, batches[..2048]);
            for (var round = 0; round < context.Options.Rounds(7, 2); round++)
            {
                var data = folder.CreateSubdirectory($"round-{round}");
                rounds.Add(await MeasureAsync(installation, data.FullName, batches));
                data.Delete(recursive: true);
                BenchContext.Note($"throughput: {rounds[^1].Rate:0} receipts/s, {rounds[^1].DurableRate:0} durable, {rounds[^1].Cores:0.00} cores, {rounds[^1].Failed} of {rounds[^1].Held + rounds[^1].Failed} receipts not found again");
            }

            var figures = context.Figures;
            figures.Count(rounds.Sum(round => round.Held), rounds.Sum(round => round.Failed));
            figures.ReceiptsPerSecond = Median.Of(rounds, round => round.Rate);
            figures.Row("throughput", "receipts per second, outbox to log", figures.ReceiptsPerSecond, "/s", Reach, atLeast: true, FormattableString.Invariant(
                $"batches of {Rows}, {batches.Length} statements signed before; {Median.Of(rounds, round => round.Cores):0.00} cores, {Median.Of(rounds, round => round.CpuMicroseconds):0.00} us of processor per receipt"));
            figures.Row("throughput", "... of them durable", Median.Of(rounds, round => round.DurableRate), "/s");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<Round> MeasureAsync(Installation installation, string data, SealedBatch[] batches)
    {
        GC.Collect();
        var receipts = (double)batches.Length * Rows;
        double seconds, durable, processor;
        await using (var running = new RunningService(installation.Open(data)))
        {
            var service = running.Service;
            var (start, before) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
            await OwnThread.Run(() =>
            {
                // A full queue is how a slow outbox says so; a millisecond later a part of it is free.
                foreach (var batch in batches)
                    while (!service.TryAccept(batch)) Thread.Sleep(1);
                return 0;
            });
            var last = service.WaitAsync(batches[^1].StatementId, ReceiptStage.Durable, CancellationToken.None);
            await last;
            durable = Stopwatch.GetElapsedTime(start).TotalSeconds;
            await running.UntilAsync(() => service.LogSizes.Size == (ulong)batches.Length, TimeSpan.FromMinutes(2), TimeSpan.FromMilliseconds(1), "every statement in the log");
            seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            processor = (Environment.CpuUsage.TotalTime - before).TotalSeconds;
        }

        using var again = installation.Open(data);
        var (held, failed) = LogCheck.Run(again, batches, ReceiptStage.Verified);
        return new Round(receipts / seconds, receipts / durable, processor / seconds, processor * 1e6 / receipts, held, failed);
    }

    private sealed record Round(double Rate, double DurableRate, double Cores, double CpuMicroseconds, long Held, long Failed);
}
