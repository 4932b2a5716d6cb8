using System.Runtime.InteropServices;
using System.Text.Json;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>
/// Checks the receipts of answers as a caller has them: JSON numbers and base64. A host without a chain shows no evidence over
/// HTTP, so the epoch's key is the one that the first signature recovers to; all others must verify under it, and every
/// statement must name the log and the epoch that the host announced. <c>og verify</c> is what checks evidence. Outputs are JSON
/// numbers or, announced by their size, the bytes that follow the JSON.
/// </summary>
internal sealed class AnswerChecker
{
    private readonly HostProcess _host;
    private readonly NativeSignatures _signatures;
    private readonly Hash256[] _digests;
    private readonly IReadOnlyList<TensorSpec> _outputs;
    private readonly ReceiptChecker _receipts;
    private readonly Lock _gate = new();
    private byte[]? _key;
    private long _statements;

    public AnswerChecker(HostProcess host, NativeSignatures signatures, Hash256[] digests, ModelInfo model)
    {
        (_host, _signatures, _digests, _outputs) = (host, signatures, digests, model.Outputs);
        _receipts = new ReceiptChecker(new StatementChecker(signatures, KeyOf), model);
    }

    /// <summary>Distinct statements seen.</summary>
    public long Statements => Interlocked.Read(ref _statements);

    public ReceiptCount Check(IReadOnlyList<AnswerLog> logs)
    {
        long verified = 0, failed = 0;
        Parallel.ForEach(logs, log =>
        {
            long held = 0;
            for (var i = 0; i < log.Count; i++)
                if (Holds(log.Body(i), _digests[log[i].Input])) held++;
            Interlocked.Add(ref verified, held);
            Interlocked.Add(ref failed, log.Count - held);
        });
        return new ReceiptCount(verified, failed);
    }

    private bool Holds(ReadOnlyMemory<byte> body, in Hash256 request)
    {
        try
        {
            var reader = new Utf8JsonReader(body.Span);
            using var answer = JsonDocument.ParseValue(ref reader);
            var encoded = answer.RootElement.GetProperty("parameters").GetProperty("og_receipt").GetBytesFromBase64();
            return _receipts.Holds(Receipt.Decode(encoded), request, OutputsOf(answer.RootElement.GetProperty("outputs"), body.Span[(int)reader.BytesConsumed..]));
        }
        catch (Exception malformed) when (malformed is JsonException or FormatException or KeyNotFoundException or InvalidOperationException or ArgumentOutOfRangeException)
        {
            return false;
        }
    }

    private byte[] OutputsOf(JsonElement outputs, ReadOnlySpan<byte> binary)
    {
        var bytes = new List<byte>();
        foreach (var spec in _outputs)
        {
            var output = outputs.EnumerateArray().First(candidate => candidate.GetProperty("name").GetString() == spec.Name);
            if (output.TryGetProperty("parameters", out var parameters) && parameters.TryGetProperty("binary_data_size", out var size))
            {
                // Outputs stand in the model's order where a request names none.
                bytes.AddRange(binary[..size.GetInt32()]);
                binary = binary[size.GetInt32()..];
                continue;
            }

            foreach (var value in output.GetProperty("data").EnumerateArray())
            {
                if (spec.Type == ElementType.Float32) bytes.AddRange(MemoryMarshal.AsBytes<float>([value.GetSingle()]));
                else if (spec.Type == ElementType.Int64) bytes.AddRange(MemoryMarshal.AsBytes<long>([value.GetInt64()]));
                else throw new FormatException($"output '{spec.Name}' is of a type that this benchmark does not read");
            }
        }

        return bytes.Count == _outputs.Sum(spec => spec.StaticRowBytes) ? [.. bytes] : throw new FormatException("an output is missing values");
    }

    private ReadOnlyMemory<byte> KeyOf(Statement statement)
    {
        if (statement.LogId != _host.Log || statement.Epoch != _host.Epoch) return default;
        Interlocked.Increment(ref _statements);
        lock (_gate) return _key ??= _signatures.Recover(statement.SignedDigest, statement.Signature.Span);
    }
}
