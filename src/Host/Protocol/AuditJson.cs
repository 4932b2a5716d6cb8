using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Endpoints;
using OpenGradient.Engine.Hosting.Auditing;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Host.Protocol;

/// <summary>Audits as JSON. What is shown of a row is public: leaf and row number, never digests or salts.</summary>
internal static class AuditJson
{
    /// <summary>The name of an outcome or a reason on the wire: camel case.</summary>
    public static string Text<T>(T value) where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    /// <summary>The annotation of one receipt; nothing where no draw picked it.</summary>
    public static void WriteAnnotation(Utf8JsonWriter json, AuditedRow? audit)
    {
        if (audit is null) return;
        json.WriteStartObject("audit");
        WriteRow(json, audit);
        json.WriteEndObject();
    }

    /// <summary>Rate, detection and counts, as the overview has them.</summary>
    public static void WriteSummary(Utf8JsonWriter json, AuditService audit, AuditTotals totals)
    {
        json.WriteNumber("oneIn", audit.OneIn);
        json.WriteNumber("rate", 1.0 / audit.OneIn);
        json.WriteStartObject("rows");
        foreach (var (outcome, count) in totals.Rows) json.WriteNumber(Text(outcome), count);
        json.WriteEndObject();
        json.WriteStartObject("detection");
        foreach (var bad in (long[])[1, 10, 100, 1000, 10_000])
            json.WriteNumber(bad.ToString(System.Globalization.CultureInfo.InvariantCulture), Math.Round(AuditDraw.DetectionProbability(audit.OneIn, bad), 6));
        json.WriteEndObject();
    }

    public static void WriteRow(Utf8JsonWriter json, AuditedRow row)
    {
        json.WriteString("outcome", Text(row.Outcome));
        if (row.Reason != AuditReason.None) json.WriteString("reason", Text(row.Reason));
        if (row.Detail.Length > 0) json.WriteString("detail", row.Detail);
        ReceiptEndpoints.WriteTime(json, "at", row.At);
        json.WriteNumber("leaf", row.Leaf);
        json.WriteNumber("row", row.Row);
        json.WriteNumber("block", row.Beacon.BlockNumber);
        json.WriteString("blockHash", $"0x{row.Beacon.BlockHash}");
        json.WriteNumber("oneIn", row.OneIn);
    }
}
