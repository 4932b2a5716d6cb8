using OpenGradient.Engine.LanguageModels.Tools;

namespace OpenGradient.Engine.Host.Protocol.OpenAi;

/// <summary>A piece of an answer: text, or a call.</summary>
internal readonly record struct ChatDelta(string? Content, ToolCallDelta? Call);

/// <summary>A call as it is told, once and whole.</summary>
internal sealed record ToolCallDelta(int Index, string Id, string Name, string Arguments);

/// <summary>Divides an answer's text into content and calls while it comes. One per choice.</summary>
/// <param name="parser">The choice's own.</param>
/// <param name="parallel">False takes the first call and lets the others go.</param>
internal sealed class ChatContent(ToolCallParser parser, bool parallel)
{
    private int _told;

    /// <summary>Whether the answer has called a tool.</summary>
    public bool HasCalls => _told > 0;

    public IReadOnlyList<ChatDelta> Append(string text) => [.. Text(parser.Append(text)), .. NewCalls()];

    /// <summary>What was held back.</summary>
    public IReadOnlyList<ChatDelta> Finish() => [.. Text(parser.Finish()), .. NewCalls()];

    private static IEnumerable<ChatDelta> Text(string text) => text.Length > 0 ? [new ChatDelta(text, null)] : [];

    private IEnumerable<ChatDelta> NewCalls()
    {
        for (; _told < parser.Calls.Count; _told++)
        {
            if (_told > 0 && !parallel) continue;
            var call = parser.Calls[_told];
            yield return new ChatDelta(null, new ToolCallDelta(_told, "call_" + OpenAiIds.New(), call.Name, call.Arguments));
        }
    }
}
