namespace OpenGradient.Engine.Load.InProcess;

/// <summary>Checks every sample of a window on all cores. A sample without a receipt has failed.</summary>
internal sealed class LogChecker(ReceiptChecker receipts, InputSet inputs)
{
    public ReceiptCount Check(IReadOnlyList<SampleLog> logs)
    {
        long verified = 0, failed = 0;
        Parallel.ForEach(Chunks(logs), chunk =>
        {
            long held = 0, broken = 0;
            for (var i = chunk.From; i < chunk.To; i++)
            {
                ref readonly var sample = ref chunk.Log.Samples[i];
                if (sample.End == 0) continue;
                if (sample.Batch is { } batch && receipts.Holds(batch.Receipt(sample.Row), inputs.Digests[sample.Input], chunk.Log.Outputs(i))) held++;
                else broken++;
            }

            Interlocked.Add(ref verified, held);
            Interlocked.Add(ref failed, broken);
        });
        receipts.Forget();
        return new ReceiptCount(verified, failed);
    }

    private static IEnumerable<(SampleLog Log, int From, int To)> Chunks(IReadOnlyList<SampleLog> logs)
    {
        const int size = 2048;
        foreach (var log in logs)
            for (var from = 0; from < log.Count; from += size) yield return (log, from, Math.Min(log.Count, from + size));
    }
}
