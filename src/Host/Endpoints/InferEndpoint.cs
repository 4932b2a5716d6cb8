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
/// <param name="releases">Waits for receipts.</param>
internal sealed class InferEndpoint(EngineHost host, KeptAnswers kept, Releases releases)
{
    private const string JsonLengthHeader = "Inference-Header-Content-Length";

    public async Task Handle(HttpContext context, string model, string? version)
    {
        var body = await RequestBody.Read(context, host.Configuration.Http.MaxBodyBytes);
        var request = InferRequest.Read(body, JsonLength(context.Request, body.Length));
        var release = Releases.Read(context.Request, request.Release, request.ReleaseTimeoutMilliseconds);
        if (await releases.Refuses(context, release)) return;

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

        if (release.Policy == ReleasePolicy.Fast || answer.ReceiptId is not { } id) await Write(context, answer, ReceiptStage.Executed);
        else await WriteWhenReleased(context, answer, id, statement!.Value, release);
    }

    /// <summary><c>GET /v1/answers/{id}</c>: an answer that was kept. With a release policy it is waited for; it is kept until it was sent whole.</summary>
    public async Task Fetch(HttpContext context, string id)
    {
        if (!ReceiptId.TryParse(id, out var receipt) || kept.Find(receipt) is not { } answer)
        {
            await Answers.Error(context, StatusCodes.Status404NotFound, "no answer is kept under this id: it was released, fetched, or its time ran out");
            return;
        }

        var release = Releases.Read(context.Request);
        var status = host.Settlement?.Find(receipt)?.Statement;
        if (release.Policy != ReleasePolicy.Fast && status is not null && host.Settlement is not null)
        {
            var released = await releases.Wait(status.StatementId, release, context.RequestAborted);
            status = host.Settlement.Find(status.StatementId);
            if (released is not { Status: WaitStatus.Reached })
            {
                await releases.SayKept(context, receipt, status?.Stage ?? ReceiptStage.Executed, release, released);
                return;
            }
        }

        await Write(context, answer, status?.Stage ?? ReceiptStage.Executed);
        kept.Forget(receipt);
    }

    private async Task WriteWhenReleased(HttpContext context, InferAnswer answer, ReceiptId id, Hash256 statement, Release release)
    {
        var released = await releases.Wait(statement, release, context.RequestAborted);
        var stage = releases.StageOf(statement);
        // Whatever became of the wait, the answer is kept, never lost, and the id says where.
        if (released is { Status: WaitStatus.Reached }) await Write(context, answer, stage);
        else await releases.Keep(context, answer, id, stage, release, released);
    }

    private static int JsonLength(HttpRequest http, int bodyLength)
    {
        if (http.Headers[JsonLengthHeader].ToString() is not { Length: > 0 } header) return bodyLength;
        return int.TryParse(header, NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? length : throw new BadRequestException($"{JsonLengthHeader} is not a number");
    }

    private static async Task Write(HttpContext context, InferAnswer answer, ReceiptStage stage)
    {
        if (answer.ReceiptId is { } id) Releases.Mark(context, id, stage);
        var response = context.Response;
        response.ContentType = answer.HasBinary ? "application/octet-stream" : "application/json";
        if (answer.HasBinary) response.Headers[JsonLengthHeader] = answer.JsonLength.ToString(CultureInfo.InvariantCulture);
        response.ContentLength = answer.Body.Length;
        await response.Body.WriteAsync(answer.Body, context.RequestAborted);
    }
}
