namespace OpenGradient.Engine.LanguageModels.Tools;

/// <summary>A call of a tool that an answer asks for.</summary>
/// <param name="Arguments">JSON text of the arguments object, as the model wrote it.</param>
public sealed record ToolCall(string Name, string Arguments);

/// <summary>Divides an answer's text into content and tool calls, as it comes. One per answer.</summary>
public sealed class ToolCallParser
{
    /// <summary>Calls found so far, in order.</summary>
    public IReadOnlyList<ToolCall> Calls => throw new NotImplementedException();

    /// <summary>Takes more text and returns the content that is certain not to be part of a call; may be empty.</summary>
    public string Append(string text) => throw new NotImplementedException();

    /// <summary>Ends the answer: returns what was held back and turned out to be content.</summary>
    public string Finish() => throw new NotImplementedException();
}
