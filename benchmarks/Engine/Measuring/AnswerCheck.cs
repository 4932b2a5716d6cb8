using System.Runtime.InteropServices;
using OpenGradient.Engine.Benchmarks.Models;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Benchmarks.Measuring;

/// <summary>
/// Checks every answer of a window after it: close to what the row gives alone (so that nobody got a neighbour's answer), and,
/// where there are receipts, committed to by a signed statement.
/// </summary>
internal sealed class AnswerCheck
{
    // The engine rounds differently in other batch sizes: float32 sums of some hundred products agree to five digits.
    private const double Tolerance = 2e-3;

    private readonly Served _served;
    private readonly RowSet _rows;
    private readonly Lazy<byte[][]> _alone;
    private readonly Dictionary<string, ReceiptChecker>? _receipts;

    public AnswerCheck(BenchContext context, Workload workload, Served served, RowSet rows, bool receipts)
    {
        _served = served;
        _rows = rows;
        _alone = rows.Alone(context, workload);
        if (!receipts) return;
        var epoch = context.Keys.Epoch;
        _receipts = served.Models.ToDictionary(model => model.Name, model => new ReceiptChecker(
            new StatementChecker(context.Keys.Signatures, statement => statement.Epoch == epoch.Epoch.Id ? epoch.PublicKey : default), model));
    }

    public ReceiptCount Check(IReadOnlyList<CallerLog> logs)
    {
        long held = 0, failed = 0;
        Parallel.For(0, logs.Count, caller =>
        {
            var log = logs[caller];
            var receipts = _receipts?[_served.Models[caller % _served.Models.Length].Name];
            long good = 0;
            for (var i = 0; i < log.Count; i++)
                if (Holds(log.Answers[i], log.Outputs(i), receipts)) good++;
            Interlocked.Add(ref held, good);
            Interlocked.Add(ref failed, log.Count - good);
        });
        foreach (var receipts in _receipts?.Values ?? Enumerable.Empty<ReceiptChecker>()) receipts.Forget();
        return new ReceiptCount(held, failed);
    }

    private bool Holds(in Answered answer, ReadOnlySpan<byte> outputs, ReceiptChecker? receipts)
    {
        if (!IsClose(outputs, _alone.Value[answer.Row])) return false;
        return receipts is null || (answer.Batch is { } batch && receipts.Holds(batch.Receipt(answer.Receipt), _rows.Digests[answer.Row], outputs));
    }

    private bool IsClose(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        foreach (var spec in _served.Model.Outputs)
        {
            var bytes = (int)spec.StaticRowBytes;
            if (!IsClose(spec.Type, left[..bytes], right[..bytes])) return false;
            left = left[bytes..];
            right = right[bytes..];
        }

        return true;
    }

    private static bool IsClose(ElementType type, ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        if (left.SequenceEqual(right)) return true;
        if (type != ElementType.Float32) return false;
        var a = MemoryMarshal.Cast<byte, float>(left);
        var b = MemoryMarshal.Cast<byte, float>(right);
        for (var i = 0; i < a.Length; i++)
            if (!(Math.Abs(a[i] - b[i]) <= Tolerance * Math.Max(1, Math.Abs(b[i])))) return false;
        return true;
    }
}
