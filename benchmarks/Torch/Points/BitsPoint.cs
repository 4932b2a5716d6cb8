using System.Runtime.InteropServices;
using OpenGradient.Engine.Benchmarks.Models;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Benchmarks.Points;

/// <summary>
/// Are the answers right, and the same again: against float64 on the CPU, from run to run, from batch to batch and slot to slot;
/// and the determinism class that the engine's own probe finds.
/// </summary>
internal sealed class BitsPoint : IPoint<BenchContext>
{
    // Of an element against float64, relative to the largest of its row: float32 sums of some thousand products.
    private const double Tolerance = 1e-4;
    private static readonly int[] Batches = [2, 8, 32, 64];

    public string Name => "bits";

    public async Task RunAsync(BenchContext context)
    {
        foreach (var workload in context.Workloads)
        {
            await OwnThread.Run(() => Reference(context, workload));
            await OwnThread.Run(() => Equality(context, workload));
            await ClassAsync(context, workload);
        }
    }

    private static bool Reference(BenchContext context, Workload workload)
    {
        using var python = context.Python(workload, threads: 1);
        using var direct = context.Direct(workload);
        var rows = context.Rows(workload);
        var wide = MemoryMarshal.Cast<byte, double>(python.Reference()).ToArray();
        var (worst, at) = (0.0, 0);
        var outputs = direct.Outputs;
        for (var output = 0; output < outputs.Count; output++)
        {
            var width = checked((int)(outputs[output].StaticRowBytes / ElementTypes.SizeOf(outputs[output].Type)));
            // Whole numbers (a label) are 8 bytes in the file as well; equal logits decide them, so they are not compared.
            if (outputs[output].Type == ElementType.Float32)
                for (var row = 0; row < rows.Count; row++)
                {
                    var expected = wide.AsSpan(at + (row * width), width);
                    direct.Alone(rows.Rows[row]);
                    worst = Math.Max(worst, Difference(MemoryMarshal.Cast<byte, float>(direct.Output(output, 0, 1)), expected));
                }

            at += rows.Count * width;
        }

        context.Figures.Set("max_error_vs_float64", workload.Name, worst, 9);
        context.Figures.Row($"largest difference from float64 on the CPU, {workload.Name}", worst, "of a row's largest", Tolerance, atLeast: false);
        context.Figures.Count(new ReceiptCount(worst <= Tolerance ? rows.Count : 0, worst <= Tolerance ? 0 : rows.Count));
        return true;
    }

    private static double Difference(ReadOnlySpan<float> found, ReadOnlySpan<double> expected)
    {
        var (largest, worst) = (1e-30, 0.0);
        for (var i = 0; i < found.Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(expected[i]));
            // Not a number is no small difference.
            var difference = Math.Abs(found[i] - expected[i]);
            worst = double.IsNaN(difference) ? double.PositiveInfinity : Math.Max(worst, difference);
        }

        return worst / largest;
    }

    private static bool Equality(BenchContext context, Workload workload)
    {
        using var direct = context.Direct(workload);
        var rows = context.Rows(workload);
        byte[][] alone = [.. rows.Rows.Select(direct.Alone)];
        var again = rows.Rows.Select(direct.Alone).Zip(alone).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));
        context.Figures.Set("run_to_run_equal", workload.Name, again ? 1 : 0, 0);
        var differing = new List<string>();
        foreach (var batch in Batches)
        {
            direct.Prepare(batch);
            for (var slot = 0; slot < batch; slot++) direct.Put(slot, rows.Rows[slot % rows.Count]);
            direct.Execute();
            var equal = Enumerable.Range(0, batch).Count(slot => direct.Row(slot).AsSpan().SequenceEqual(alone[slot % rows.Count]));
            context.Figures.Set($"equal_to_alone_{workload.Name}", $"batch_{batch}", (double)equal / batch);
            if (equal < batch) differing.Add(FormattableString.Invariant($"{batch - equal} of batch {batch}"));
        }

        context.Figures.Text("bits", $"{workload.Name}: run to run {(again ? "equal" : "DIFFERENT")}; rows that differ from the row alone: {(differing.Count == 0 ? "none" : string.Join(", ", differing))}");
        return again;
    }

    private static async Task ClassAsync(BenchContext context, Workload workload)
    {
        // Quick runs state a class where they serve; here it is probed all the same.
        var options = Sides.Options(context, workload, workload.MaxBatch ?? workload.LargestSearched) with { Determinism = null };
        await using var side = await Side.StartAsync(context, workload, options, receipts: false, callers: 1);
        var found = side.Model.Context.Determinism;
        context.Figures.Set("determinism", workload.Name, $"{found}");
        context.Figures.Text("bits", $"{workload.Name}: class {found}, rows padded to multiples of {side.Model.Context.PaddingMultiple}, at least {side.Model.Context.MinimumRows}");
    }
}
