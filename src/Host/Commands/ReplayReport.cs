using System.Globalization;
using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Host.Commands;

/// <summary>A replay's result for people, for machines, and as an exit code.</summary>
/// <param name="result">What the replay found.</param>
/// <param name="trust">What the trust file does not accept; null when none was asked.</param>
internal sealed class ReplayReport(ReplayResult result, IReadOnlyList<VerificationFailure>? trust)
{
    private const string Unchecked = "not checked: og verify does that, or --trust here";

    /// <summary>Each outcome has its own (docs/cli.md); what the trust file does not accept is never 0.</summary>
    public int ExitCode => result.Outcome switch
    {
        ReplayOutcome.Reproduced => trust is { Count: > 0 } ? ExitCodes.Failed : ExitCodes.Ok,
        ReplayOutcome.ReceiptInvalid => ExitCodes.Failed,
        ReplayOutcome.Differs => 10,
        ReplayOutcome.NotReproducibleHere => result.WithinTolerance switch { true => 11, null => 12, false => 13 },
        ReplayOutcome.WrongModel => 14,
        ReplayOutcome.WrongInput => 15,
        ReplayOutcome.WrongOutput => 16,
        _ => 17,
    };

    public string Text()
    {
        var text = new StringBuilder().Append(result.Outcome.Text().Replace('-', ' ')).Append(": ").Append(result.Detail).AppendLine();
        foreach (var failure in result.Failures) Line(text, "receipt", failure.ToString());
        if (result.Statement?.Context is { } context) Line(text, "model", $"{context.ModelName} {context.ModelVersion}, identity {context.ModelIdentity}, class {context.Determinism}");
        if (result.Shape is { } shape) Line(text, "executed", Sentence(shape));
        foreach (var difference in result.Fingerprint) Line(text, "fingerprint", difference.ToString());
        foreach (var deviation in result.Deviations) Line(text, "output", Sentence(deviation));
        if (result.Executed is not null && result.Outcome is not (ReplayOutcome.Reproduced or ReplayOutcome.WrongOutput)) Line(text, "tolerance", Tolerance());
        Line(text, "signature", trust is null ? Unchecked : trust.Count == 0 ? "it, evidence and proof hold under the trust file" : "");
        foreach (var failure in trust ?? []) Line(text, "trust", failure.ToString());
        return text.ToString();
    }

    public string Json()
    {
        var buffer = Answers.Render(Write);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("outcome", result.Outcome.Text());
        if (result.Reason is { } reason) json.WriteString("reason", reason.Text());
        json.WriteString("detail", result.Detail);
        json.WriteNumber("exitCode", ExitCode);
        WriteStatement(json);
        WriteStrings(json, "receiptFailures", result.Failures);
        if (result.Shape is { } shape)
        {
            json.WriteStartObject("executed");
            json.WriteNumber("rows", shape.Rows);
            json.WriteNumber("batchRows", shape.BatchRows);
            json.WriteNumber("firstSlot", shape.FirstSlot);
            json.WriteBoolean("alone", shape.Alone);
            json.WriteString("digest", result.Executed?.ToString());
            json.WriteEndObject();
        }

        if (result.Committed is { } committed) json.WriteString("committed", committed.ToString());
        if (result.EqualInPlace is { } inPlace) json.WriteBoolean("equalInPlace", inPlace);
        WriteFingerprint(json);
        WriteAnswer(json);
        if (trust is null) json.WriteNull("trust");
        else WriteStrings(json, "trust", trust);
        json.WriteEndObject();
    }

    private void WriteStatement(Utf8JsonWriter json)
    {
        if (result.Statement is not { } statement) return;
        json.WriteStartObject("model");
        json.WriteString("name", statement.Context.ModelName);
        json.WriteString("version", statement.Context.ModelVersion);
        json.WriteString("identity", statement.Context.ModelIdentity.ToString());
        json.WriteString("determinism", statement.Context.Determinism.ToString());
        json.WriteEndObject();
    }

    private void WriteFingerprint(Utf8JsonWriter json)
    {
        json.WriteStartArray("fingerprint");
        foreach (var difference in result.Fingerprint)
        {
            json.WriteStartObject();
            json.WriteString("field", difference.Field);
            json.WriteString("stated", difference.Stated);
            json.WriteString("here", difference.Here);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteAnswer(Utf8JsonWriter json)
    {
        if (result.AnswerIsCommitted is not { } committed) return;
        json.WriteStartObject("answer");
        json.WriteBoolean("committed", committed);
        if (result.WithinTolerance is { } within) json.WriteBoolean("withinTolerance", within);
        if (result.First is { } first)
        {
            json.WriteStartObject("first");
            json.WriteString("output", first.Tensor);
            json.WriteStartArray("index");
            foreach (var position in first.Index) json.WriteNumberValue(position);
            json.WriteEndArray();
            json.WriteString("givenBits", first.GivenBits);
            json.WriteString("hereBits", first.HereBits);
            json.WriteString("given", first.Given);
            json.WriteString("here", first.Here);
            json.WriteEndObject();
        }

        json.WriteStartArray("deviations");
        foreach (var deviation in result.Deviations)
        {
            json.WriteStartObject();
            json.WriteString("output", deviation.Tensor);
            json.WriteNumber("elements", deviation.Elements);
            json.WriteNumber("different", deviation.Different);
            Number(json, "maxAbsolute", deviation.MaxAbsolute);
            Number(json, "maxRelative", deviation.MaxRelative);
            json.WriteBoolean("within", deviation.Within);
            if (deviation.Mismatch is { } mismatch) json.WriteString("mismatch", mismatch);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    // JSON has no infinity; null says that a difference is not finite.
    private static void Number(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value)) json.WriteNumber(name, value);
        else json.WriteNull(name);
    }

    private static void WriteStrings(Utf8JsonWriter json, string name, IReadOnlyList<VerificationFailure> failures)
    {
        json.WriteStartArray(name);
        foreach (var failure in failures) json.WriteStringValue(failure.ToString());
        json.WriteEndArray();
    }

    private string Tolerance() => (result.WithinTolerance, result.AnswerIsCommitted) switch
    {
        (true, _) => "the committed answer is within it: close, and not reproduced",
        (false, _) => "the committed answer is outside of it",
        (_, false) => "not compared: the answer given is not the one that the receipt commits to",
        _ => "not compared: the receipt holds digests only; give the saved answer with --output",
    };

    private static string Sentence(ReplayShape shape) =>
        $"{Count(shape.Rows, "row")} {(shape.Alone ? "alone" : "among dummy neighbours")} at slot {shape.FirstSlot} of a call of {Count(shape.BatchRows, "row")}";

    private static string Count(int count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";

    private static string Sentence(TensorDeviation deviation) => deviation.Mismatch ?? string.Create(
        CultureInfo.InvariantCulture,
        $"{deviation.Tensor}: {deviation.Different} of {deviation.Elements} elements differ, by at most {deviation.MaxAbsolute:G3} absolute, {deviation.MaxRelative:G3} relative");

    private static void Line(StringBuilder text, string name, string value)
    {
        if (value.Length > 0) text.Append("  ").Append(name.PadRight(12)).AppendLine(value);
    }
}
