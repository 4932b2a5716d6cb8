using OpenGradient.Engine.Settlement.Workers;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary>What a process tells of the workers in it, beside an engine or without one.</summary>
internal static class WorkerMetrics
{
    public static void Append(PrometheusText text, IReadOnlyList<JournalWorker> workers)
    {
        void Each(string name, string kind, string help, Func<JournalWorker, double> value)
        {
            text.Family(name, kind, help);
            foreach (var worker in workers) text.Sample(name, PrometheusText.Label("role", worker.Name), value(worker));
        }

        Each("og_worker_leading", "gauge", "1 while this process holds the role's lease.", worker => worker.IsLeading ? 1 : 0);
        Each("og_worker_fence", "gauge", "The number under which it writes; 0 while another leads.", worker => worker.Fence);
        Each("og_worker_take_overs_total", "counter", "How often it began to lead.", worker => worker.TakeOvers);
        Each("og_worker_logs", "gauge", "Logs that it follows.", worker => worker.Logs);
        text.Family("og_worker_condition", "gauge", "Logs that a condition holds up now.");
        foreach (var worker in workers)
            foreach (var kind in worker.Conditions.GroupBy(one => one.Condition.Kind))
                text.Sample("og_worker_condition", $"{PrometheusText.Label("role", worker.Name)},{PrometheusText.Label("kind", kind.Key.ToString())}", kind.Count());
    }
}
