using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Verification.Audit;
using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Host.Commands;

/// <summary>What a fraud bundle says and whether it stands, for people and for machines.</summary>
internal sealed class FraudReport(FraudBundle bundle, IReadOnlyList<string> contradictions)
{
    private const string Unchecked = "not checked";

    private readonly Statement _statement = Statement.Decode(bundle.Receipt.Receipt.Statement.Span);

    /// <summary>What the trust file does not accept; null when none was asked.</summary>
    public IReadOnlyList<VerificationFailure>? Trust { get; init; }

    /// <summary>What executing the row once more showed; null when it was not.</summary>
    public ReplayResult? Replay { get; init; }

    /// <summary>Whether nothing that was checked speaks against the dispute.</summary>
    public bool Stands => contradictions.Count == 0 && Trust is null or { Count: 0 } && Replay is null or { Outcome: ReplayOutcome.Differs, EqualInPlace: not true };

    public string Text()
    {
        var text = new StringBuilder().AppendLine(Stands ? "the dispute stands, as far as it was checked" : "the dispute does not stand");
        foreach (var contradiction in contradictions) Line(text, "bundle", contradiction);
        var context = _statement.Context;
        Line(text, "model", $"{context.ModelName} {context.ModelVersion}, identity {context.ModelIdentity}, class {context.Determinism}");
        Line(text, "claimed by", Runtime(context.Runtime));
        Line(text, "executed by", Runtime(bundle.OwnContext.Runtime));
        Line(text, "row", $"row {bundle.Receipt.Receipt.Row} of leaf {bundle.Receipt.Inclusion?.LeafIndex.ToString() ?? "?"} in log {_statement.LogId}");
        Line(text, "drawn by", $"block {bundle.Beacon.BlockNumber} 0x{bundle.Beacon.BlockHash}, one in {bundle.OneIn}");
        Line(text, "claimed", RowLeaf.Decode(bundle.Receipt.Receipt.Leaf.Span).Output.ToString());
        Line(text, "executed", Hash256.Sha256(bundle.OwnOutput.Span).ToString());
        if (contradictions.Count == 0 && FraudCheck.Differences(bundle).First is { } first) Line(text, "differs", first.ToString());
        Line(text, "auditor", bundle.Finding.Detail);
        Line(text, "signature", Trust is null ? $"{Unchecked}: give --trust" : Trust.Count == 0 ? "it, evidence, proof and the block hold under the trust file" : "");
        foreach (var failure in Trust ?? []) Line(text, "trust", failure.ToString());
        Line(text, "once more", Replay is null ? $"{Unchecked}: give --model" : $"{Replay.Outcome.Text()}: {Replay.Detail}");
        return text.ToString();
    }

    public string Json() => Encoding.UTF8.GetString(Answers.Render(Write).WrittenSpan);

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteBoolean("stands", Stands);
        WriteStrings(json, "contradictions", contradictions);
        json.WriteString("model", _statement.Context.ModelName);
        json.WriteString("modelIdentity", _statement.Context.ModelIdentity.ToString());
        json.WriteString("determinism", _statement.Context.Determinism.ToString());
        json.WriteString("statement", bundle.Receipt.Receipt.StatementId.ToString());
        json.WriteNumber("row", bundle.Receipt.Receipt.Row);
        if (bundle.Receipt.Inclusion is { } inclusion) json.WriteNumber("leaf", inclusion.LeafIndex);
        json.WriteNumber("block", bundle.Beacon.BlockNumber);
        json.WriteString("blockHash", $"0x{bundle.Beacon.BlockHash}");
        json.WriteNumber("oneIn", bundle.OneIn);
        json.WriteString("claimed", RowLeaf.Decode(bundle.Receipt.Receipt.Leaf.Span).Output.ToString());
        json.WriteString("executed", Hash256.Sha256(bundle.OwnOutput.Span).ToString());
        if (contradictions.Count == 0 && FraudCheck.Differences(bundle).First is { } first) json.WriteString("first", first.ToString());
        json.WriteString("finding", bundle.Finding.Detail);
        if (Trust is null) json.WriteNull("trust");
        else WriteStrings(json, "trust", Trust.Select(failure => failure.ToString()));
        json.WriteString("replay", Replay?.Outcome.Text());
        json.WriteEndObject();
    }

    private static string Runtime(RuntimeFingerprint runtime) =>
        $"{runtime.Backend} {runtime.LibraryVersion} {runtime.Provider} {runtime.Device} {runtime.Precision} {runtime.Options}, library {runtime.LibraryDigest}";

    private static void WriteStrings(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static void Line(StringBuilder text, string name, string value)
    {
        if (value.Length > 0) text.Append("  ").Append(name.PadRight(12)).AppendLine(value);
    }
}
