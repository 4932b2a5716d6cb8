using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Hosting.Auditing;
using OpenGradient.Engine.Settlement;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary>What audits found, for anybody; and the erasure of what they keep, for a receipt's holder and for the operator.</summary>
internal sealed class AuditEndpoints(EngineHost host)
{
    private const int MaxListed = 100;

    public Task Status(HttpContext context) => host.Settlement is { } settlement
        ? Answers.Json(context, StatusCodes.Status200OK, json => Write(json, settlement))
        : Answers.Error(context, StatusCodes.Status404NotFound, "this host runs without settlement: nothing is anchored, so nothing is drawn");

    /// <summary>Erases the input and output kept for one receipt. Whoever knows its id may: ids cannot be guessed.</summary>
    public Task Erase(HttpContext context, string id)
    {
        if (host.Settlement is not { } settlement || !ReceiptId.TryParse(id, out var receipt) || settlement.Find(receipt) is not { } status)
            return Answers.Error(context, StatusCodes.Status404NotFound, "no such receipt is known here");
        var erased = host.Audit?.Retention.Erase(status.Statement.StatementId, status.Row) ?? false;
        return Answers.Json(context, StatusCodes.Status200OK, json => WriteErased(json, erased ? 1 : 0));
    }

    /// <summary>Erases everything that is kept.</summary>
    public Task EraseAll(HttpContext context)
    {
        var erased = host.Audit?.Retention.EraseAll() ?? 0;
        return Answers.Json(context, StatusCodes.Status200OK, json => WriteErased(json, erased));
    }

    private static void WriteErased(Utf8JsonWriter json, long rows)
    {
        json.WriteStartObject();
        json.WriteNumber("erased", rows);
        json.WriteEndObject();
    }

    private void Write(Utf8JsonWriter json, SettlementService settlement)
    {
        var totals = settlement.Audits.Totals;
        json.WriteStartObject();
        json.WriteBoolean("on", host.Audit is not null);
        if (host.Audit is { } audit)
        {
            AuditJson.WriteSummary(json, audit, totals);
            json.WriteString("trouble", audit.Trouble is null ? null : "the last pass did not come to its end and is tried again; the host's own output says why");
        }

        json.WriteNumber("draws", totals.Draws);
        json.WriteStartObject("reasons");
        foreach (var (reason, count) in totals.Reasons) json.WriteNumber(AuditJson.Text(reason), count);
        json.WriteEndObject();
        WriteRetention(json);
        WriteDraws(json, settlement);
        WriteDisputes(json, settlement);
        WriteQuarantined(json, settlement);
        WriteHalts(json, settlement);
        json.WriteEndObject();
    }

    private void WriteRetention(Utf8JsonWriter json)
    {
        var configured = host.Configuration.Audit;
        var report = host.Audit?.Retention.Report;
        json.WriteStartObject("retention");
        json.WriteString("policy", host.Audit is null ? "off" : configured.EffectiveRetention);
        json.WriteNumber("windowMs", configured.RetentionWindowMs);
        json.WriteNumber("maxBytes", configured.RetentionBytes);
        json.WriteNumber("rows", report?.Rows ?? 0);
        json.WriteNumber("bytes", report?.Bytes ?? 0);
        json.WriteNumber("dropped", report?.Dropped ?? 0);
        json.WriteNumber("expired", report?.Expired ?? 0);
        json.WriteNumber("erased", report?.Erased ?? 0);
        json.WriteEndObject();
    }

    // Everything that a recomputation of the draw needs, besides the statements, which are in the log.
    private static void WriteDraws(Utf8JsonWriter json, SettlementService settlement)
    {
        json.WriteString("log", settlement.LogId.ToString());
        json.WriteStartArray("recentDraws");
        foreach (var draw in settlement.Audits.RecentDraws)
        {
            json.WriteStartObject();
            json.WriteNumber("firstLeaf", draw.Anchor.FirstLeaf);
            json.WriteNumber("size", draw.Anchor.Size);
            json.WriteString("root", draw.Anchor.Root.ToString());
            json.WriteNumber("chainId", draw.Anchor.ChainId);
            json.WriteNumber("anchorBlock", draw.Anchor.Block);
            json.WriteNumber("block", draw.Beacon.BlockNumber);
            json.WriteString("blockHash", $"0x{draw.Beacon.BlockHash}");
            json.WriteNumber("oneIn", draw.OneIn);
            json.WriteNumber("rows", draw.Rows);
            ReceiptEndpoints.WriteTime(json, "at", draw.At);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteDisputes(Utf8JsonWriter json, SettlementService settlement)
    {
        json.WriteStartArray("disputes");
        foreach (var row in settlement.Audits.Disputes.TakeLast(MaxListed))
        {
            json.WriteStartObject();
            json.WriteString("statement", row.Statement.ToString());
            // The sentence quotes an element of the answer: it is in the bundle, for whoever may have that.
            AuditJson.WriteRow(json, row with { Detail = "" });
            json.WriteString("bundle", FraudFolder.NameOf(row.Leaf, row.Row));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteQuarantined(Utf8JsonWriter json, SettlementService settlement)
    {
        json.WriteStartArray("quarantined");
        foreach (var statement in settlement.Audits.Quarantined(MaxListed))
        {
            json.WriteStartObject();
            json.WriteString("statement", statement.StatementId.ToString());
            json.WriteString("epoch", statement.Epoch.ToString());
            json.WriteNumber("receipts", statement.Receipts);
            ReceiptEndpoints.WriteReasons(json, statement);
            ReceiptEndpoints.WriteTime(json, "at", statement.QuarantinedAt);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteHalts(Utf8JsonWriter json, SettlementService settlement)
    {
        json.WriteString("onBadStatement", host.Configuration.Audit.OnBadStatement);
        json.WriteStartArray("haltedEpochs");
        foreach (var halt in settlement.Audits.Halts)
        {
            json.WriteStartObject();
            json.WriteString("epoch", halt.Epoch.ToString());
            json.WriteBoolean("current", host.Keys.Find(halt.Epoch) is not null);
            json.WriteString("statement", halt.Statement.ToString());
            json.WriteString("reason", halt.Reason);
            ReceiptEndpoints.WriteTime(json, "at", halt.At);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
