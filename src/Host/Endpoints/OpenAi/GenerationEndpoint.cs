using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Host.Protocol.OpenAi;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Host.Endpoints.OpenAi;

/// <summary>One request to be answered: the scheduler's requests and how their answers are written.</summary>
/// <param name="PerPrompt">Choices of one prompt.</param>
internal sealed record AskedGeneration(ServedModel Model, GenerationFields Common, IReadOnlyList<GenerationRequest> Requests, int PerPrompt, AnswerForm Form);

/// <summary>What chat and completions do alike: start, write whole or as a stream, wait for receipts.</summary>
/// <param name="stopped">Cancelled when the host stops and writes no answer to its end any more.</param>
internal sealed class GenerationEndpoint(Releases releases, TimeProvider clock, CancellationToken stopped)
{
    public async Task Answer(HttpContext context, AskedGeneration asked)
    {
        var release = Releases.Read(context.Request);
        if (await releases.Refuses(context, release)) return;
        using var running = RunningAnswers.Start(asked.Model.Generator, asked.Requests, asked.Form.Prompt);
        var envelope = new AnswerEnvelope(asked.Model, asked.Form, asked.Common, asked.Requests, asked.PerPrompt, clock.GetUtcNow());
        if (asked.Common.Stream) await new AnswerStream(context, envelope, asked, running, releases, stopped).Write(release);
        else await WriteWhole(context, envelope, running, release);
    }

    private async Task WriteWhole(HttpContext context, AnswerEnvelope envelope, RunningAnswers running, Release release)
    {
        var results = await running.Complete(context.RequestAborted, stopped);
        GenerationHead[] heads = [.. results.Select(ReceiptFields.Last).OfType<GenerationHead>()];
        WaitOutcome? failed = null;
        var reached = true;
        foreach (var head in release.Policy == ReleasePolicy.Fast ? [] : heads)
        {
            failed = await releases.Wait(head.Batch.StatementId, release, context.RequestAborted);
            if (reached = failed is { Status: WaitStatus.Reached }) continue;
            break;
        }

        var body = envelope.Whole(results, releases.StageOf);
        if (heads is [var first, ..])
        {
            var stage = heads.Min(head => releases.StageOf(head.Batch.StatementId));
            if (!reached)
            {
                await releases.Keep(context, new InferAnswer(body, body.Length, first.ReceiptId), first.ReceiptId, stage, release, failed);
                return;
            }

            Releases.Mark(context, first.ReceiptId, stage);
            if (heads.Length > 1) context.Response.Headers["OG-Receipt-Id"] = string.Join(", ", heads.Select(head => head.ReceiptId));
        }

        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }
}
