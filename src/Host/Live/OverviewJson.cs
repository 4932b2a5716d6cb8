using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Endpoints;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Settlement;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Host.Live;

/// <summary>The host at one moment, as the live page and <c>GET /v1/overview</c> show it. Public: leaves, paths and stages, never receipt ids.</summary>
public sealed class OverviewJson(EngineHost host, RecentStatements? recent, RequestRate rate, TimeProvider clock)
{
    public void Write(Utf8JsonWriter json)
    {
        var gap = host.Settlement?.Snapshot();
        json.WriteStartObject();
        json.WriteString("version", BuildInfo.Version);
        json.WriteString("now", clock.GetUtcNow().UtcDateTime);
        json.WriteString("started", host.StartedAt.UtcDateTime);
        WriteLog(json);
        WriteChain(json);
        var epoch = host.Epoch.Epoch;
        EvidenceJson.Write(json, epoch.Id, host.Attester.Judge(epoch, clock.GetUtcNow()), host.Attester.Mock);
        EpochJson.Write(json, host);
        WriteAudit(json);
        WriteStages(json, gap);
        WriteGap(json, gap);
        WriteThroughput(json, gap);
        WriteModels(json);
        WriteLanguageModels(json);
        WriteReceipts(json);
        json.WriteEndObject();
    }

    private void WriteLog(Utf8JsonWriter json)
    {
        json.WriteStartObject("log");
        json.WriteString("id", host.LogId.ToString());
        json.WriteString("origin", SignedNote.Origin(host.LogId));
        if (host.Settlement?.LogSizes is { } sizes)
        {
            json.WriteNumber("size", sizes.Size);
            json.WriteNumber("anchoredSize", sizes.Anchored);
            json.WriteNumber("finalSize", sizes.Final);
        }

        json.WriteEndObject();
    }

    private void WriteChain(Utf8JsonWriter json)
    {
        if (host.Configuration.Chain is not { } chain)
        {
            json.WriteNull("chain");
            return;
        }

        var condition = host.Settlement!.Conditions is [var first, ..] ? first : null;
        json.WriteStartObject("chain");
        json.WriteNumber("id", chain.Id);
        json.WriteString("contract", chain.Contract);
        if (host.Chain is { } seen) json.WriteNumber("block", seen.BlockNumber);
        json.WriteString("condition", condition is null ? "ok" : condition.Kind == ConditionKind.ChainUnreachable ? "unreachable" : condition.Kind.ToString());
        if (condition is null) json.WriteNull("detail");
        else json.WriteString("detail", NamesFiles(condition) ? condition.Advice : $"{condition.Text} {condition.Advice}");
        json.WriteString("finality", chain.FinalityDepth is { } depth ? $"depth {depth}" : "finalized tag");
        json.WriteEndObject();
    }

    // Everybody sees the overview; where the host keeps its files, and what a network says of a witness's address, is the operator's business.
    private static bool NamesFiles(Condition condition) => condition.Kind is ConditionKind.OutboxFull or ConditionKind.OutboxFailed or ConditionKind.WitnessUnavailable;

    private void WriteAudit(Utf8JsonWriter json)
    {
        if (host.Audit is not { } audit) return;
        json.WriteStartObject("audit");
        AuditJson.WriteSummary(json, audit, host.Settlement!.Audits.Totals);
        json.WriteEndObject();
    }

    private static void WriteStages(Utf8JsonWriter json, TrustGapSnapshot? gap)
    {
        long Open(ReceiptStage stage) => gap?.OpenByStage.GetValueOrDefault(stage) ?? 0;
        json.WriteStartObject("stages");
        foreach (var stage in new[] { ReceiptStage.Executed, ReceiptStage.Durable, ReceiptStage.Verified, ReceiptStage.Anchored, ReceiptStage.Reopened })
            json.WriteNumber(stage.Text(), Open(stage));
        json.WriteNumber("final", gap?.Final ?? 0);
        json.WriteNumber("quarantined", gap?.Quarantined ?? 0);
        json.WriteEndObject();
    }

    private void WriteGap(Utf8JsonWriter json, TrustGapSnapshot? gap)
    {
        json.WriteStartObject("gap");
        if (gap is not null)
        {
            WritePercentiles(json, "durable", gap.Durable);
            WritePercentiles(json, "verified", gap.Verified);
            WritePercentiles(json, "anchored", gap.Anchored);
            WritePercentiles(json, "final", gap.ToFinal);
            json.WriteNumber("oldestOpen", Math.Round(gap.OldestOpen.TotalMilliseconds));
            json.WriteNumber("open", gap.Open);
            json.WriteStartObject("oldestByStage");
            foreach (var (stage, age) in gap.OldestByStage) json.WriteNumber(stage.Text(), Math.Round(age.TotalMilliseconds));
            json.WriteEndObject();
            TrustGapJson.WriteModels(json, host.Settlement!.ModelGaps());
        }

        json.WriteNumber("objective", host.Configuration.TrustGap.ObjectiveMs);
        json.WriteEndObject();
        if (gap is null) return;
        TrustGapJson.WriteObjective(json, gap.Objective);
        TrustGapJson.WriteBound(json, host.Settlement!.Bound());
        TrustGapJson.WriteClosing(json, gap.Closes, host.Configuration.Settlement.Closing);
    }

    internal static void WritePercentiles(Utf8JsonWriter json, string name, GapPercentiles percentiles)
    {
        void Number(string key, TimeSpan value)
        {
            if (percentiles.Receipts == 0) json.WriteNull(key);
            else json.WriteNumber(key, Math.Round(value.TotalMilliseconds, 1));
        }

        json.WriteStartObject(name);
        json.WriteNumber("count", percentiles.Receipts);
        Number("p50", percentiles.P50);
        Number("p90", percentiles.P90);
        Number("p99", percentiles.P99);
        Number("max", percentiles.Max);
        json.WriteEndObject();
    }

    private void WriteThroughput(Utf8JsonWriter json, TrustGapSnapshot? gap)
    {
        var requests = host.Engine.Models.Sum(model => host.Engine.Statistics(model.Name, model.Version)?.Requests ?? 0);
        json.WriteStartObject("throughput");
        if (gap is not null) json.WriteNumber("receipts", gap.Open + gap.Final + gap.Quarantined);
        json.WriteNumber("requests", requests);
        json.WriteNumber("requestsPerSecond", Math.Round(rate.PerSecond, 1));
        json.WriteEndObject();
    }

    private void WriteModels(Utf8JsonWriter json)
    {
        json.WriteStartArray("models");
        foreach (var model in host.Engine.Models)
        {
            var statistics = host.Engine.Statistics(model.Name, model.Version);
            json.WriteStartObject();
            json.WriteString("name", model.Name);
            json.WriteString("version", model.Version);
            json.WriteString("identity", model.Identity.ToString());
            json.WriteString("determinism", model.Context.Determinism.ToString());
            json.WriteNumber("requests", statistics?.Requests ?? 0);
            if (statistics is { Batches: > 0 }) json.WriteNumber("averageBatch", Math.Round((double)statistics.Rows / statistics.Batches, 2));
            json.WriteBoolean("ready", true);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteLanguageModels(Utf8JsonWriter json)
    {
        json.WriteStartArray("languageModels");
        foreach (var model in host.LanguageModels.All)
        {
            json.WriteStartObject();
            json.WriteString("name", model.Name);
            json.WriteString("version", model.Version);
            json.WriteString("identity", model.Info.Identity.ToString());
            json.WriteString("architecture", model.Info.Architecture);
            json.WriteString("precision", model.Info.Runtime.Precision);
            json.WriteNumber("context", model.Info.ContextLength);
            json.WriteBoolean("chat", model.Template is not null);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteReceipts(Utf8JsonWriter json)
    {
        json.WriteStartArray("receipts");
        foreach (var statement in recent?.Newest ?? [])
        {
            if (host.Settlement!.Find(statement.Id) is not { } status) continue;
            json.WriteStartObject();
            json.WriteString("leaf", statement.Leaf.ToString());
            json.WriteString("statement", statement.Id.ToString());
            json.WriteString("model", statement.Model);
            json.WriteString("stage", status.Stage.Text());
            ReceiptEndpoints.WriteTime(json, "executed", status.ExecutedAt);
            ReceiptEndpoints.WriteTime(json, "durable", status.DurableAt);
            ReceiptEndpoints.WriteTime(json, "verified", status.VerifiedAt);
            ReceiptEndpoints.WriteTime(json, "anchored", status.AnchoredAt);
            ReceiptEndpoints.WriteTime(json, "final", status.FinalAt);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
