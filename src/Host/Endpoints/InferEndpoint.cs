using System.Globalization;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Host.Server;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Settlement.State;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary><c>POST /v2/models/{model}/infer</c>: the fast path over HTTP.</summary>
/// <param name="host">The house that answers.</param>
/// <param name="kept">Where answers go whose wait ran out.</param>
/// <param name="cut">Cancelled when the host stops and waits for no receipt any more.</param>
internal sealed class InferEndpoint(EngineHost host, KeptAnswers kept, CancellationToken cut)
{
    private const string JsonLengthHeader = "Inference-Header-Content-Length";

    // Longer than an anchor on the slowest usual chain would be a held connection, not a wait.
    private static readonly TimeSpan MaxWait = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan DefaultWait = TimeSpan.FromSeconds(30);

    // Seconds. Kept answers go when they are fetched or an hour old: a minute sees some of them gone.
    private const string RetryWhenFull = "60";

    public async Task Handle(HttpContext context, string model, string? version)
    {
        var body = await RequestBody.Read(context, host.Configuration.Http.MaxBodyBytes);
        var request = InferRequest.Read(body, JsonLength(context.Request, body.Length));
        var (policy, wait) = Release(context.Request, request.Release, request.ReleaseTimeoutMilliseconds);
        if (policy != ReleasePolicy.Fast && await IsRefused(context)) return;

        if (host.Engine.Find(model, version) is { } info) InferAnswer.CheckOutputs(request, info);
        var engineRequest = new InferenceRequest(model, version) { Priority = request.Priority, Timeout = request.Timeout, Caller = CallerIdentity.Of(context) };
        foreach (var input in request.Inputs) engineRequest.Add(input.Name, (ElementType)input.Code, input.Shape, input.Data);
        var outcome = await host.Engine.TryInferAsync(engineRequest, context.RequestAborted);
        if (outcome.Failure is { } failure)
        {
            await FailureAnswers.Write(context, failure);
            return;
        }

        InferAnswer answer;
        Hash256? statement;
        using (var result = outcome.Result)
        {
            statement = result.Batch?.StatementId;
            answer = InferAnswer.Render(request, result);
        }

        if (policy == ReleasePolicy.Fast || answer.ReceiptId is not { } id) await Write(context, answer, ReceiptStage.Executed);
        else await WriteWhenReleased(context, answer, id, statement!.Value, policy, wait);
    }

    /// <summary><c>GET /v1/answers/{id}</c>: an answer that was kept. With a release policy it is waited for; it is kept until it was sent whole.</summary>
    public async Task Fetch(HttpContext context, string id)
    {
        if (!ReceiptId.TryParse(id, out var receipt) || kept.Find(receipt) is not { } answer)
        {
            await Answers.Error(context, StatusCodes.Status404NotFound, "no answer is kept under this id: it was released, fetched, or its time ran out");
            return;
        }

        var (policy, wait) = Release(context.Request, null, null);
        var status = host.Settlement?.Find(receipt)?.Statement;
        if (policy != ReleasePolicy.Fast && status is not null && host.Settlement is not null)
        {
            var released = await Wait(host.Settlement, status.StatementId, (ReceiptStage)policy, wait, context.RequestAborted);
            status = host.Settlement.Find(status.StatementId);
            if (released is not { Status: WaitStatus.Reached })
            {
                await SayKept(context, receipt, status?.Stage ?? ReceiptStage.Executed, policy, released);
                return;
            }
        }

        await Write(context, answer, status?.Stage ?? ReceiptStage.Executed);
        kept.Forget(receipt);
    }

    // Before anything is executed: an answer that could neither be released nor kept would be lost.
    private async Task<bool> IsRefused(HttpContext context)
    {
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

    private async Task WriteWhenReleased(HttpContext context, InferAnswer answer, ReceiptId id, Hash256 statement, ReleasePolicy policy, TimeSpan wait)
    {
        var released = await Wait(host.Settlement!, statement, (ReceiptStage)policy, wait, context.RequestAborted);
        var stage = host.Settlement!.Find(statement)?.Stage ?? ReceiptStage.Executed;
        if (released is { Status: WaitStatus.Reached })
        {
            await Write(context, answer, stage);
            return;
        }

        // Whatever became of the wait, the answer is kept, never lost, and the id says where.
        await kept.KeepAsync(id, answer);
        await SayKept(context, id, stage, policy, released);
    }

    private async Task SayKept(HttpContext context, ReceiptId id, ReceiptStage stage, ReleasePolicy policy, WaitOutcome? released)
    {
        Mark(context, id, stage);
        var (code, error) = (released, cut.IsCancellationRequested) switch
        {
            ({ } ended, _) => (StatusCodes.Status503ServiceUnavailable, $"the receipt is {stage.Text()} and will not become {((ReceiptStage)policy).Text()}: {Text(ended.Status)}"),
            (null, true) => (StatusCodes.Status503ServiceUnavailable, $"the host is stopping; receipt {id} is {stage.Text()}, its stages go on when the host is back"),
            _ => (StatusCodes.Status202Accepted, null),
        };
        await Answers.Json(context, code, json =>
        {
            json.WriteStartObject();
            if (error is not null) json.WriteString("error", error);
            json.WriteString("id", id.ToString());
            json.WriteString("stage", stage.Text());
            json.WriteString("answer", $"/v1/answers/{id}");
            json.WriteEndObject();
        });
    }

    private async Task<WaitOutcome?> Wait(Settlement.SettlementService settlement, Hash256 statement, ReceiptStage stage, TimeSpan wait, CancellationToken aborted)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(aborted, cut);
        limit.CancelAfter(wait);
        try
        {
            return await settlement.WaitAsync(statement, stage, limit.Token);
        }
        catch (OperationCanceledException) when (!aborted.IsCancellationRequested)
        {
            return null;
        }
    }

    private static string Text(WaitStatus status) => status switch
    {
        WaitStatus.Quarantined => "a check failed",
        WaitStatus.NotStored => "it could not be stored; the receipt can be submitted again",
        _ => "it is not known here",
    };

    private static (ReleasePolicy Policy, TimeSpan Wait) Release(HttpRequest http, string? policyOfBody, long? timeoutOfBody)
    {
        var text = http.Headers["OG-Release"].ToString() is { Length: > 0 } header ? header : policyOfBody ?? "fast";
        if (!ReleasePolicies.TryParse(text, out var policy)) throw new BadRequestException($"release policy {Quoted.Text(text)} is none of fast, durable, verified, anchored, final");
        var wait = timeoutOfBody is { } milliseconds ? TimeSpan.FromMilliseconds(Math.Min(milliseconds, MaxWait.TotalMilliseconds)) : DefaultWait;
        if (http.Headers["OG-Release-Timeout-Ms"].ToString() is { Length: > 0 } given)
        {
            if (!long.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)) throw new BadRequestException("OG-Release-Timeout-Ms is not a number of milliseconds");
            wait = TimeSpan.FromMilliseconds(Math.Min(limit, MaxWait.TotalMilliseconds));
        }

        return (policy, wait);
    }

    private static int JsonLength(HttpRequest http, int bodyLength)
    {
        if (http.Headers[JsonLengthHeader].ToString() is not { Length: > 0 } header) return bodyLength;
        return int.TryParse(header, NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? length : throw new BadRequestException($"{JsonLengthHeader} is not a number");
    }

    private static async Task Write(HttpContext context, InferAnswer answer, ReceiptStage stage)
    {
        if (answer.ReceiptId is { } id) Mark(context, id, stage);
        var response = context.Response;
        response.ContentType = answer.HasBinary ? "application/octet-stream" : "application/json";
        if (answer.HasBinary) response.Headers[JsonLengthHeader] = answer.JsonLength.ToString(CultureInfo.InvariantCulture);
        response.ContentLength = answer.Body.Length;
        await response.Body.WriteAsync(answer.Body, context.RequestAborted);
    }

    private static void Mark(HttpContext context, ReceiptId id, ReceiptStage stage)
    {
        context.Response.Headers["OG-Receipt-Id"] = id.ToString();
        context.Response.Headers["OG-Stage"] = stage.Text();
    }
}
