using System.Globalization;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Host.Protocol.OpenAi;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary>Release policies over HTTP: what was asked, waiting for it, and where an answer stays whose wait ended without it.</summary>
/// <param name="host">The house that answers.</param>
/// <param name="kept">Where answers go whose wait ran out.</param>
/// <param name="cut">Cancelled when the host stops and waits for no receipt any more.</param>
internal sealed class Releases(EngineHost host, KeptAnswers kept, CancellationToken cut)
{
    // Longer than an anchor on the slowest usual chain would be a held connection, not a wait.
    private static readonly TimeSpan MaxWait = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan DefaultWait = TimeSpan.FromSeconds(30);

    // Seconds. Kept answers go when they are fetched or an hour old: a minute sees some of them gone.
    private const string RetryWhenFull = "60";

    /// <summary>What the headers ask for, else the body.</summary>
    /// <exception cref="BadRequestException">It is no such policy or time.</exception>
    public static Release Read(HttpRequest http, string? policyOfBody = null, long? timeoutOfBody = null)
    {
        var text = http.Headers["OG-Release"].ToString() is { Length: > 0 } header ? header : policyOfBody ?? "fast";
        if (!ReleasePolicies.TryParse(text, out var policy)) throw new BadRequestException($"release policy {Quoted.Text(text)} is none of fast, durable, verified, anchored, final");
        var wait = timeoutOfBody is { } milliseconds ? TimeSpan.FromMilliseconds(Math.Min(milliseconds, MaxWait.TotalMilliseconds)) : DefaultWait;
        if (http.Headers["OG-Release-Timeout-Ms"].ToString() is { Length: > 0 } given)
        {
            if (!long.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)) throw new BadRequestException("OG-Release-Timeout-Ms is not a number of milliseconds");
            wait = TimeSpan.FromMilliseconds(Math.Min(limit, MaxWait.TotalMilliseconds));
        }

        return new Release(policy, wait);
    }

    /// <summary>Before anything is executed: an answer that could neither be released nor kept would be lost. True when the caller was told so.</summary>
    public async Task<bool> Refuses(HttpContext context, Release release)
    {
        if (release.Policy == ReleasePolicy.Fast) return false;
        if (host.Settlement is null)
        {
            await Answers.Error(context, StatusCodes.Status400BadRequest, "this host runs without settlement: only the release policy 'fast' is possible");
            return true;
        }

        if (kept.HasRoom) return false;
        context.Response.Headers.RetryAfter = RetryWhenFull;
        await Answers.Error(context, StatusCodes.Status503ServiceUnavailable, "too many answers wait to be fetched: only the release policy 'fast' is possible now");
        return true;
    }

    /// <summary>How the wait ended; null when its time was over, or the host stops.</summary>
    public async Task<WaitOutcome?> Wait(Hash256 statement, Release release, CancellationToken aborted)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(aborted, cut);
        limit.CancelAfter(release.Timeout);
        try
        {
            return await host.Settlement!.WaitAsync(statement, release.Stage, limit.Token);
        }
        catch (OperationCanceledException) when (!aborted.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>Where a statement stands now.</summary>
    public ReceiptStage StageOf(Hash256 statement) => host.Settlement?.Find(statement)?.Stage ?? ReceiptStage.Executed;

    /// <summary>Keeps an answer whose wait ended without its release, and says where it is.</summary>
    public async Task Keep(HttpContext context, InferAnswer answer, ReceiptId id, ReceiptStage stage, Release release, WaitOutcome? outcome)
    {
        await kept.KeepAsync(id, answer);
        await SayKept(context, id, stage, release, outcome);
    }

    public async Task SayKept(HttpContext context, ReceiptId id, ReceiptStage stage, Release release, WaitOutcome? outcome)
    {
        Mark(context, id, stage);
        var (code, error) = (outcome, cut.IsCancellationRequested) switch
        {
            ({ } ended, _) => (StatusCodes.Status503ServiceUnavailable, $"the receipt is {stage.Text()} and will not become {release.Stage.Text()}: {Text(ended.Status)}"),
            (null, true) => (StatusCodes.Status503ServiceUnavailable, $"the host is stopping; receipt {id} is {stage.Text()}, its stages go on when the host is back"),
            _ => (StatusCodes.Status202Accepted, null),
        };
        await Answers.Json(context, code, json =>
        {
            json.WriteStartObject();
            if (error is not null && OpenAiError.Covers(context.Request.Path)) OpenAiError.WriteProperty(json, code, error, null, "not_released");
            else if (error is not null) json.WriteString("error", error);
            json.WriteString("id", id.ToString());
            json.WriteString("stage", stage.Text());
            json.WriteString("answer", $"/v1/answers/{id}");
            json.WriteEndObject();
        });
    }

    public static void Mark(HttpContext context, ReceiptId id, ReceiptStage stage)
    {
        context.Response.Headers["OG-Receipt-Id"] = id.ToString();
        context.Response.Headers["OG-Stage"] = stage.Text();
    }

    private static string Text(WaitStatus status) => status switch
    {
        WaitStatus.Quarantined => "a check failed",
        WaitStatus.NotStored => "it could not be stored; the receipt can be submitted again",
        _ => "it is not known here",
    };
}

/// <summary>When an answer is handed over, and how long that is waited for.</summary>
internal readonly record struct Release(ReleasePolicy Policy, TimeSpan Timeout)
{
    public ReceiptStage Stage => (ReceiptStage)Policy;
}
