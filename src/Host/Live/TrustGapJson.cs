using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Endpoints;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Settlement;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Host.Live;

/// <summary>The parts of the overview that say what is promised of the gap, what bounds it, and why settlement batches close.</summary>
internal static class TrustGapJson
{
    // Two significant digits are what a burn rate is read by.
    private const int BurnDigits = 2;

    public static void WriteObjective(Utf8JsonWriter json, ObjectiveSnapshot objective)
    {
        json.WriteStartObject("objective");
        json.WriteString("stage", objective.Objective.Stage.Text());
        json.WriteNumber("within", objective.Objective.Within.TotalMilliseconds);
        json.WriteNumber("share", objective.Objective.Share);
        json.WriteNumber("met", objective.Met);
        json.WriteNumber("missed", objective.Missed);
        json.WriteNumber("burn5m", Math.Round(objective.BurnFiveMinutes, BurnDigits));
        json.WriteNumber("burn1h", Math.Round(objective.BurnOneHour, BurnDigits));
        json.WriteBoolean("burningFast", objective.IsBurningFast);
        json.WriteEndObject();
    }

    public static void WriteBound(Utf8JsonWriter json, BoundSnapshot bound)
    {
        json.WriteStartObject("bound");
        if (bound.MaxReceipts == long.MaxValue) json.WriteNull("maxOpen");
        else json.WriteNumber("maxOpen", bound.MaxReceipts);
        if (bound.MaxAge == TimeSpan.MaxValue) json.WriteNull("maxAge");
        else json.WriteNumber("maxAge", bound.MaxAge.TotalMilliseconds);
        json.WriteString("onExceeded", bound.OnExceeded == GapExceeded.SlowDown ? "slowDown" : "refuse");
        json.WriteNumber("used", Math.Round(Math.Min(bound.Used, 1e6), 6));
        json.WriteString("state", bound.Verdict switch { AdmissionVerdict.Admit => "open", AdmissionVerdict.SlowDown => "slowing", _ => "refusing" });
        json.WriteNumber("delay", bound.Verdict == AdmissionVerdict.SlowDown ? Math.Round(bound.Wait.TotalMilliseconds) : 0);
        json.WriteNumber("slowed", bound.Slowed);
        json.WriteNumber("refused", bound.Refused);
        json.WriteEndObject();
    }

    public static void WriteClosing(Utf8JsonWriter json, CloseSnapshot closes, string rule)
    {
        json.WriteStartObject("closing");
        json.WriteString("rule", rule);
        json.WriteStartObject("reasons");
        foreach (var (reason, count) in closes.Counts) json.WriteNumber(reason.ToString(), count);
        json.WriteEndObject();
        if (closes.LastAt is not null) json.WriteString("last", closes.Last.ToString());
        ReceiptEndpoints.WriteTime(json, "lastAt", closes.LastAt);
        json.WriteEndObject();
    }

    /// <summary>Only models that have or had receipts; times in milliseconds, null while nothing has reached the stage.</summary>
    public static void WriteModels(Utf8JsonWriter json, IReadOnlyList<ModelGap> models)
    {
        json.WriteStartArray("byModel");
        foreach (var model in models)
        {
            if (model.OpenReceipts == 0 && model.Reached.All(reached => reached.Gap.Receipts == 0)) continue;
            json.WriteStartObject();
            json.WriteString("model", model.Model);
            json.WriteNumber("open", model.OpenReceipts);
            json.WriteNumber("oldestOpen", Math.Round(model.OldestOpen.TotalMilliseconds));
            json.WriteStartObject("standing");
            foreach (var stage in model.Open)
            {
                json.WriteStartObject(stage.Stage.Text());
                json.WriteNumber("open", stage.Receipts);
                json.WriteNumber("oldest", Math.Round(stage.Oldest.TotalMilliseconds));
                json.WriteEndObject();
            }

            json.WriteEndObject();
            foreach (var reached in model.Reached) OverviewJson.WritePercentiles(json, reached.Stage.Text(), reached.Gap.AtPercentiles());
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
