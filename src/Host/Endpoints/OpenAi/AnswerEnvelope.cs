using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Host.Protocol.OpenAi;
using OpenGradient.Engine.LanguageModels.Generation;

namespace OpenGradient.Engine.Host.Endpoints.OpenAi;

/// <summary>What stands around the choices: id, model, usage, receipts.</summary>
/// <param name="requests">The scheduler's requests, by choice.</param>
/// <param name="perPrompt">Choices of one prompt: a prompt that several share counts once.</param>
internal sealed class AnswerEnvelope(ServedModel model, AnswerForm form, GenerationFields common, IReadOnlyList<GenerationRequest> requests, int perPrompt, DateTimeOffset now)
{
    private readonly string _id = form.IdPrefix + OpenAiIds.New();

    /// <summary>A whole answer.</summary>
    /// <param name="stageOf">Where a receipt stands.</param>
    public ReadOnlyMemory<byte> Whole(IReadOnlyList<GenerationResult> results, Func<Hash256, ReceiptStage> stageOf) => Answers.Render(json =>
    {
        Begin(json, form.Whole);
        json.WriteStartArray("choices");
        for (var i = 0; i < results.Count; i++)
        {
            json.WriteStartObject();
            form.WriteChoice(json, i, results[i]);
            // One choice has its receipt where everybody looks; of several, each has its own.
            if (results.Count > 1) WriteProof(json, i, results[i], stageOf);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteUsage(json, results);
        if (results.Count == 1) WriteProof(json, 0, results[0], stageOf);
        json.WriteEndObject();
    }).WrittenMemory;

    /// <summary>One chunk of a stream.</summary>
    /// <param name="head">Signed at its end, where one was.</param>
    public ReadOnlyMemory<byte> Chunk(Action<Utf8JsonWriter> entry, GenerationHead? head) => Answers.Render(json =>
    {
        BeginChunk(json, entry);
        if (head is not null) ReceiptFields.WriteHead(json, head);
        json.WriteEndObject();
    }).WrittenMemory;

    /// <summary>A chunk for a head whose text is held back: it says nothing but what is signed.</summary>
    public ReadOnlyMemory<byte> HeadAlone(int choice, GenerationHead head) => Chunk(json => form.WriteNothing(json, choice), head);

    /// <summary>The chunk that ends a choice.</summary>
    public ReadOnlyMemory<byte> Last(Action<Utf8JsonWriter> entry, int choice, GenerationResult result, Func<Hash256, ReceiptStage> stageOf) => Answers.Render(json =>
    {
        BeginChunk(json, entry);
        WriteProof(json, choice, result, stageOf);
        json.WriteEndObject();
    }).WrittenMemory;

    /// <summary>The chunk with the usage of the whole stream.</summary>
    public ReadOnlyMemory<byte> Usage(IReadOnlyList<GenerationResult> results) => Answers.Render(json =>
    {
        Begin(json, form.Chunk);
        json.WriteStartArray("choices");
        json.WriteEndArray();
        WriteUsage(json, results);
        json.WriteEndObject();
    }).WrittenMemory;

    private void BeginChunk(Utf8JsonWriter json, Action<Utf8JsonWriter> entry)
    {
        Begin(json, form.Chunk);
        json.WriteStartArray("choices");
        json.WriteStartObject();
        entry(json);
        json.WriteEndObject();
        json.WriteEndArray();
        if (common.IncludeUsage) json.WriteNull("usage");
    }

    private void Begin(Utf8JsonWriter json, string kind)
    {
        json.WriteStartObject();
        json.WriteString("id", _id);
        json.WriteString("object", kind);
        json.WriteNumber("created", now.ToUnixTimeSeconds());
        json.WriteString("model", model.Name);
        json.WriteString("system_fingerprint", model.SystemFingerprint);
    }

    private void WriteUsage(Utf8JsonWriter json, IReadOnlyList<GenerationResult> results)
    {
        var prompts = results.Where((_, choice) => choice % perPrompt == 0).ToArray();
        var (prompt, completion) = (prompts.Sum(result => (long)result.Usage.PromptTokens), results.Sum(result => (long)result.Usage.CompletionTokens));
        json.WriteStartObject("usage");
        json.WriteNumber("prompt_tokens", prompt);
        json.WriteNumber("completion_tokens", completion);
        json.WriteNumber("total_tokens", prompt + completion);
        json.WriteStartObject("prompt_tokens_details");
        json.WriteNumber("cached_tokens", prompts.Sum(result => (long)result.Usage.CachedPromptTokens));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteProof(Utf8JsonWriter json, int choice, GenerationResult result, Func<Hash256, ReceiptStage> stageOf)
    {
        if (ReceiptFields.Last(result) is { } head) ReceiptFields.WriteReceipt(json, head, stageOf(head.Batch.StatementId));
        if (common.Replay) ReplayFields.Write(json, requests[choice], result);
    }
}
