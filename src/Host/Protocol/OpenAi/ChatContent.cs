using OpenGradient.Engine.LanguageModels.Tools;

namespace OpenGradient.Engine.Host.Protocol.OpenAi;

/// <summary>A piece of an answer: text, or a piece of a call.</summary>
internal readonly record struct ChatDelta(string? Content, ToolCallDelta? Call);

/// <summary>A piece of a call. Id and name come with its first piece alone.</summary>
internal sealed record ToolCallDelta(int Index, string? Id, string? Name, string Arguments);

/// <summary>Divides an answer's text into content and calls while it comes. One per choice.</summary>
internal abstract class ChatContent
{
    /// <summary>Whether the answer has called a tool.</summary>
    public bool HasCalls { get; protected set; }

    public static ChatContent For(ChatTools tools) => tools.Use switch
    {
        ToolUse.Auto => new FoundCalls(tools.Parallel),
        ToolUse.Forced => new ForcedCall(),
        _ => new PlainContent(),
    };

    public abstract IEnumerable<ChatDelta> Append(string text);

    /// <summary>What was held back.</summary>
    public abstract IEnumerable<ChatDelta> Finish();

    protected static string NewCallId() => "call_" + OpenAiIds.New();

    protected static IEnumerable<ChatDelta> Text(string text) => text.Length > 0 ? [new ChatDelta(text, null)] : [];

    /// <summary>Nothing but text.</summary>
    private sealed class PlainContent : ChatContent
    {
        public override IEnumerable<ChatDelta> Append(string text) => Text(text);

        public override IEnumerable<ChatDelta> Finish() => [];
    }

    /// <summary>Calls where the model wrote some.</summary>
    /// <param name="parallel">False takes the first and lets the others go.</param>
    private sealed class FoundCalls(bool parallel) : ChatContent
    {
        private readonly ToolCallParser _parser = new();
        private int _told;

        public override IEnumerable<ChatDelta> Append(string text) => [.. Text(_parser.Append(text)), .. NewCalls()];

        public override IEnumerable<ChatDelta> Finish() => [.. Text(_parser.Finish()), .. NewCalls()];

        private IEnumerable<ChatDelta> NewCalls()
        {
            for (; _told < _parser.Calls.Count; _told++)
            {
                HasCalls = true;
                if (_told > 0 && !parallel) continue;
                var call = _parser.Calls[_told];
                yield return new ChatDelta(null, new ToolCallDelta(_told, NewCallId(), call.Name, call.Arguments));
            }
        }
    }

    /// <summary>A text that is constrained to <c>{"name":…,"arguments":{…}}</c>: the arguments go out as they come.</summary>
    private sealed class ForcedCall : ChatContent
    {
        private readonly ForcedCallReader _reader = new();

        public override IEnumerable<ChatDelta> Append(string text)
        {
            var hadName = _reader.Name is not null;
            var arguments = _reader.Append(text);
            if (_reader.Name is null || (hadName && arguments.Length == 0)) yield break;
            HasCalls = true;
            yield return new ChatDelta(null, hadName ? new ToolCallDelta(0, null, null, arguments) : new ToolCallDelta(0, NewCallId(), _reader.Name, arguments));
        }

        public override IEnumerable<ChatDelta> Finish() => [];
    }
}
