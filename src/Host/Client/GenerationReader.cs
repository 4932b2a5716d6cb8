using System.Net;
using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Host.Client;

/// <summary>Collects a streamed answer of one choice: its text, and what proves it.</summary>
public sealed class GenerationReader
{
    private readonly StringBuilder _text = new();

    public string Text => _text.ToString();

    /// <summary>Null until the answer has ended.</summary>
    public string? Finish { get; private set; }

    /// <summary>The receipt of the whole answer, or of as much of it as was signed when the stream was cut; null where the host gives none.</summary>
    public Receipt? Receipt { get; private set; }

    public string? ReceiptId { get; private set; }

    /// <summary>Where the receipt stood with the last chunk.</summary>
    public string Stage { get; private set; } = "executed";

    /// <summary>How many tokens the receipt commits to.</summary>
    public int CommittedTokens { get; private set; }

    /// <summary>Tokens of prompt and answer; null where they were not asked for.</summary>
    public (long Prompt, long Completion)? Usage { get; private set; }

    /// <summary><c>og_replay</c>; null where it was not asked for.</summary>
    public JsonElement? Replay { get; private set; }

    /// <summary>Takes one chunk and returns the text that it adds.</summary>
    /// <exception cref="HostRefusedException">The chunk says that the answer failed; what is signed of it was taken.</exception>
    public string Add(JsonElement chunk)
    {
        if (chunk.TryGetProperty("og_head", out var head)) TakeReceipt(head);
        if (chunk.TryGetProperty("og_receipt", out var receipt))
        {
            TakeReceipt(receipt);
            Stage = receipt.GetProperty("stage").GetString()!;
        }

        if (chunk.TryGetProperty("error", out _)) throw new HostRefusedException(HttpStatusCode.OK, HostClient.ErrorText(chunk));
        if (chunk.TryGetProperty("og_replay", out var replay)) Replay = replay;
        if (chunk.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object)
            Usage = (usage.GetProperty("prompt_tokens").GetInt64(), usage.GetProperty("completion_tokens").GetInt64());
        var choices = chunk.GetProperty("choices");
        if (choices.GetArrayLength() == 0) return "";
        var choice = choices[0];
        if (choice.GetProperty("finish_reason") is { ValueKind: JsonValueKind.String } finish) Finish = finish.GetString();
        var added = TextOf(choice);
        _text.Append(added);
        return added;
    }

    private static string TextOf(JsonElement choice)
    {
        if (choice.TryGetProperty("text", out var text)) return text.GetString() ?? "";
        var delta = choice.GetProperty("delta");
        return delta.TryGetProperty("content", out var content) ? content.GetString() ?? "" : "";
    }

    private void TakeReceipt(JsonElement from)
    {
        ReceiptId = from.GetProperty("id").GetString();
        CommittedTokens = from.GetProperty("tokens").GetInt32();
        Receipt = Receipt.Decode(from.GetProperty("receipt").GetBytesFromBase64());
    }
}
