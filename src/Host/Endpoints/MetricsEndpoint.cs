using System.Text;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary><c>GET /metrics</c> on the operator's listener, in Prometheus' text format.</summary>
internal sealed class MetricsEndpoint(EngineHost host)
{
    public async Task Handle(HttpContext context)
    {
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(Render()), context.RequestAborted);
    }

    private string Render()
    {
        var text = new StringBuilder();
        void Header(string name, string kind, string help) => text.Append($"# HELP {name} {help}\n# TYPE {name} {kind}\n");

        var models = host.Engine.Models
            .Select(model => (Labels: $"model=\"{Escape(model.Name)}\",version=\"{Escape(model.Version)}\"", Statistics: host.Engine.Statistics(model.Name, model.Version)))
            .Where(model => model.Statistics is not null)
            .Select(model => (model.Labels, Statistics: model.Statistics!))
            .ToArray();
        void PerModel(string name, string kind, string help, Func<ModelStatistics, double> value)
        {
            Header(name, kind, help);
            foreach (var (labels, statistics) in models) text.Append($"{name}{{{labels}}} {value(statistics):R}\n");
        }

        PerModel("og_requests_total", "counter", "Requests answered.", statistics => statistics.Requests);
        PerModel("og_rows_total", "counter", "Rows executed.", statistics => statistics.Rows);
        PerModel("og_batches_total", "counter", "Backend calls.", statistics => statistics.Batches);
        PerModel("og_failed_batches_total", "counter", "Backend calls that failed.", statistics => statistics.FailedBatches);
        PerModel("og_refused_by_sink_total", "counter", "Sealed batches that the outbox did not take.", statistics => statistics.RefusedBySink);
        PerModel("og_waiting_requests", "gauge", "Requests waiting now.", statistics => statistics.Waiting);
        PerModel("og_queue_seconds_total", "counter", "Time requests waited.", statistics => statistics.Queue.TotalSeconds);
        PerModel("og_gather_seconds_total", "counter", "Time copying inputs into batches.", statistics => statistics.Gather.TotalSeconds);
        PerModel("og_execute_seconds_total", "counter", "Time in the backend.", statistics => statistics.Execute.TotalSeconds);
        PerModel("og_seal_seconds_total", "counter", "Time hashing and signing.", statistics => statistics.Seal.TotalSeconds);
        PerModel("og_scatter_seconds_total", "counter", "Time copying outputs to requests.", statistics => statistics.Scatter.TotalSeconds);
        if (host.Settlement is { } settlement)
        {
            var gap = settlement.Snapshot();
            Header("og_open_receipts", "gauge", "Receipts that are neither final nor quarantined, by stage.");
            foreach (var (stage, count) in gap.OpenByStage) text.Append($"og_open_receipts{{stage=\"{stage.Text()}\"}} {count}\n");
            Header("og_final_receipts", "gauge", "Final receipts known to this process.");
            text.Append($"og_final_receipts {gap.Final}\n");
            Header("og_quarantined_receipts", "gauge", "Receipts whose check failed.");
            text.Append($"og_quarantined_receipts {gap.Quarantined}\n");
            Header("og_oldest_open_seconds", "gauge", "Age of the oldest receipt that is not final.");
            text.Append($"og_oldest_open_seconds {gap.OldestOpen.TotalSeconds:R}\n");
            Header("og_trust_gap_seconds", "summary", "Time from execution to a stage, since the process began.");
            AppendGap(text, "durable", gap.Durable);
            AppendGap(text, "verified", gap.Verified);
            AppendGap(text, "anchored", gap.Anchored);
            AppendGap(text, "final", gap.ToFinal);
            Header("og_condition", "gauge", "What holds settlement up now.");
            foreach (var condition in settlement.Conditions) text.Append($"og_condition{{kind=\"{condition.Kind}\"}} 1\n");
            Header("og_conditions_total", "counter", "How often each condition began.");
            foreach (var (kind, count) in settlement.ConditionsRaised) text.Append($"og_conditions_total{{kind=\"{kind}\"}} {count}\n");
        }

        return text.ToString();
    }

    private static void AppendGap(StringBuilder text, string stage, GapPercentiles gap)
    {
        if (gap.Receipts > 0)
        {
            text.Append($"og_trust_gap_seconds{{stage=\"{stage}\",quantile=\"0.5\"}} {gap.P50.TotalSeconds:R}\n");
            text.Append($"og_trust_gap_seconds{{stage=\"{stage}\",quantile=\"0.9\"}} {gap.P90.TotalSeconds:R}\n");
            text.Append($"og_trust_gap_seconds{{stage=\"{stage}\",quantile=\"0.99\"}} {gap.P99.TotalSeconds:R}\n");
        }

        text.Append($"og_trust_gap_seconds_count{{stage=\"{stage}\"}} {gap.Receipts}\n");
    }

    private static string Escape(string label) => label.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n");
}
