using System.Text.Json;
using System.Threading.Channels;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Host.Protocol.OpenAi;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.LanguageModels.Generation;

namespace OpenGradient.Engine.Host.Endpoints.OpenAi;

/// <summary>
/// A streamed answer: chunks as server-sent events, <c>[DONE]</c> at the end of a whole one. A stream that fails or is cut has
/// no <c>[DONE]</c>: it ends with an error, or with the last head that its reader has.
/// </summary>
internal sealed class AnswerStream(HttpContext context, AnswerEnvelope envelope, AskedGeneration asked, RunningAnswers running, Releases releases, CancellationToken stopped)
{
    // Proxies close connections that say nothing for a minute or less; a request can wait longer than that for its turn.
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    private static readonly byte[] Comment = ": still here\n\n"u8.ToArray();
    private static readonly byte[] Done = "data: [DONE]\n\n"u8.ToArray();
    private static readonly byte[] Data = "data: "u8.ToArray();
    private static readonly byte[] End = "\n\n"u8.ToArray();

    private readonly GenerationResult?[] _results = new GenerationResult?[running.Count];

    // The last head of a choice that failed or was cut.
    private GenerationHead? _cut;

    public async Task Write(Release release)
    {
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        context.Response.Headers["X-Accel-Buffering"] = "no"; // proxies that buffer would hide the stream
        await using var ended = stopped.Register(running.CancelAll);
        try
        {
            for (var choice = 0; choice < running.Count; choice++)
                foreach (var entry in asked.Form.Begin(choice)) await Send(envelope.Chunk(entry, null));
            await Flush();
            await WriteParts(release);
            if (asked.Common.IncludeUsage) await Send(envelope.Usage([.. _results.OfType<GenerationResult>()]));
            await context.Response.Body.WriteAsync(Done, context.RequestAborted);
        }
        catch (OpenAiException error)
        {
            await Send(Answers.Render(json =>
            {
                json.WriteStartObject();
                OpenAiError.WriteProperty(json, error.Status, error.Message, error.Param, error.Code);
                // What there is of the answer is signed, and its reader is the only one who can keep that.
                if (_cut is { } head) ReceiptFields.WriteReceipt(json, head, releases.StageOf(head.Batch.StatementId));
                json.WriteEndObject();
            }).WrittenMemory);
        }

        await Flush();
    }

    private async Task WriteParts(Release release)
    {
        var parts = running.Read(context.RequestAborted);
        while (await MoreWithin(parts))
        {
            // What is there goes out together: under load a reader gets fewer, larger packets.
            while (parts.TryRead(out var next))
            {
                if (next.Part is { } part) await WritePart(next.Choice, part);
                else await WriteEnd(next.Choice, release);
            }

            await Flush();
        }
    }

    private async Task WritePart(int choice, GenerationPart part)
    {
        // The last head is the answer's receipt and comes with its end.
        var head = part.Head is { Finish: FinishReason.None } signed ? signed : null;
        Action<Utf8JsonWriter>[] entries = [.. asked.Form.Append(choice, part)];
        for (var i = 0; i < entries.Length - 1; i++) await Send(envelope.Chunk(entries[i], null));
        if (entries.Length > 0) await Send(envelope.Chunk(entries[^1], head));
        else if (head is not null) await Send(envelope.HeadAlone(choice, head));
    }

    private async Task WriteEnd(int choice, Release release)
    {
        var result = await running.ResultOf(choice);
        if (running.ErrorOf(result, stopped) is { } error)
        {
            _cut = ReceiptFields.Last(result);
            throw error;
        }

        _results[choice] = result;
        Action<Utf8JsonWriter>[] entries = [.. asked.Form.Finish(choice, result)];
        foreach (var entry in entries[..^1]) await Send(envelope.Chunk(entry, null));
        if (release.Policy != ReleasePolicy.Fast && ReceiptFields.Last(result) is { } head)
        {
            // The text is out already; what the policy holds back is the word that it is proven so far.
            await Flush();
            await releases.Wait(head.Batch.StatementId, release, context.RequestAborted);
        }

        await Send(envelope.Last(entries[^1], choice, result, releases.StageOf));
    }

    private async Task<bool> MoreWithin(ChannelReader<(int Choice, GenerationPart? Part)> parts)
    {
        while (true)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
            limit.CancelAfter(KeepAlive);
            try
            {
                return await parts.WaitToReadAsync(limit.Token);
            }
            catch (OperationCanceledException) when (limit.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(Comment, context.RequestAborted);
                await Flush();
            }
        }
    }

    private async Task Send(ReadOnlyMemory<byte> json)
    {
        var body = context.Response.Body;
        await body.WriteAsync(Data, context.RequestAborted);
        await body.WriteAsync(json, context.RequestAborted);
        await body.WriteAsync(End, context.RequestAborted);
    }

    private Task Flush() => context.Response.Body.FlushAsync(context.RequestAborted);
}
