using System.Globalization;
using OpenGradient.Engine.Benchmarks.Settlement.Growth;

// growth FOLDER ROWS SIZE...: grows a log and prints a line per size.
if (args is not ["growth", var folder, var rows, ..] || args.Length < 4) return 2;
Console.WriteLine("receipts      append us   rate/s     proof p50/p99 ms   status p99 ms   restart s   managed MiB   process MiB   disk MiB   archived   failed");
await GrowthRun.RunAsync([.. args[3..].Select(size => long.Parse(size, CultureInfo.InvariantCulture))], int.Parse(rows, CultureInfo.InvariantCulture), Path.GetFullPath(folder), Print, CancellationToken.None);
return 0;

static void Print(GrowthStep step) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
    $"{step.Receipts,-12} {step.AppendMicroseconds,10:0.00} {1e6 / step.AppendMicroseconds,10:0} {step.MedianProofMs,10:0.000} / {step.ProofMs:0.000} {step.StatusMs,12:0.000} {step.RestartSeconds,12:0.00} {step.ManagedMiB,12:0.0} {step.MemoryMiB,12:0} {step.DiskMiB,12:0} {step.Archived,10} {step.Failed,6}"));
