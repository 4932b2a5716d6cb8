using System.Text.Json;
using OpenGradient.Engine.Host.Protocol.OpenAi;
using OpenGradient.Engine.LanguageModels.Generation;

namespace OpenGradient.Engine.Host.Endpoints.OpenAi;

/// <summary>Answers of <c>/v1/chat/completions</c>.</summary>
/// <param name="content">Divides a choice's text; one per choice.</param>
/// <param name="logprobs">Null where none were asked for.</param>
internal sealed class ChatForm(IReadOnlyList<ChatContent> content, LogprobsJson? logprobs) : AnswerForm
{
    public override string Whole => "chat.completion";

    public override string Chunk => "chat.completion.chunk";

    public override string IdPrefix => "chatcmpl-";

    public override string Prompt => "messages";

    public override void WriteChoice(Utf8JsonWriter json, int choice, GenerationResult result)
    {
        ChatDelta[] deltas = [.. content[choice].Append(result.Text), .. content[choice].Finish()];
        var calls = deltas.Select(delta => delta.Call).OfType<ToolCallDelta>().ToArray();
        var text = string.Concat(deltas.Select(delta => delta.Content));
        json.WriteNumber("index", choice);
        json.WriteStartObject("message");
        json.WriteString("role", "assistant");
        // Null says that there is nothing but calls, as that API has it.
        if (calls.Length > 0 && string.IsNullOrWhiteSpace(text)) json.WriteNull("content");
        else json.WriteString("content", text);
        json.WriteNull("refusal");
        if (calls.Length > 0) WriteCalls(json, calls, isChunk: false);
        json.WriteEndObject();
        WriteLogprobs(json, result.Logprobs);
        json.WriteString("finish_reason", FinishText(result.Finish, calls.Length > 0));
    }

    public override IEnumerable<Action<Utf8JsonWriter>> Begin(int choice)
    {
        yield return json => WriteChunk(json, choice, null, [], () =>
        {
            json.WriteString("role", "assistant");
            json.WriteString("content", "");
            json.WriteNull("refusal");
        });
    }

    public override IEnumerable<Action<Utf8JsonWriter>> Append(int choice, GenerationPart part)
    {
        var positions = part.Logprobs;
        foreach (var delta in content[choice].Append(part.Text))
        {
            var told = positions;
            positions = [];
            yield return json => WriteChunk(json, choice, null, told, () => WriteDelta(json, delta));
        }

        // Text that is held back has probabilities all the same.
        if (logprobs is not null && positions.Count > 0) yield return json => WriteChunk(json, choice, null, positions, () => { });
    }

    public override IEnumerable<Action<Utf8JsonWriter>> Finish(int choice, GenerationResult result)
    {
        foreach (var delta in content[choice].Finish()) yield return json => WriteChunk(json, choice, null, [], () => WriteDelta(json, delta));
        yield return json => WriteChunk(json, choice, FinishText(result.Finish, content[choice].HasCalls), [], () => { });
    }

    public override void WriteNothing(Utf8JsonWriter json, int choice) => WriteChunk(json, choice, null, [], () => { });

    private void WriteChunk(Utf8JsonWriter json, int choice, string? finish, IReadOnlyList<TokenLogprobs> positions, Action writeDelta)
    {
        json.WriteNumber("index", choice);
        json.WriteStartObject("delta");
        writeDelta();
        json.WriteEndObject();
        WriteLogprobs(json, positions);
        json.WriteString("finish_reason", finish);
    }

    private void WriteLogprobs(Utf8JsonWriter json, IReadOnlyList<TokenLogprobs> positions)
    {
        if (logprobs is null || positions.Count == 0) json.WriteNull("logprobs");
        else logprobs.WriteChat(json, positions);
    }

    private static void WriteDelta(Utf8JsonWriter json, ChatDelta delta)
    {
        if (delta.Call is { } call) WriteCalls(json, [call], isChunk: true);
        else json.WriteString("content", delta.Content);
    }

    private static void WriteCalls(Utf8JsonWriter json, IEnumerable<ToolCallDelta> calls, bool isChunk)
    {
        json.WriteStartArray("tool_calls");
        foreach (var call in calls)
        {
            json.WriteStartObject();
            if (isChunk) json.WriteNumber("index", call.Index);
            json.WriteString("id", call.Id);
            json.WriteString("type", "function");
            json.WriteStartObject("function");
            json.WriteString("name", call.Name);
            json.WriteString("arguments", call.Arguments);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
