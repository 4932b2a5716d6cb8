using System.Text;
using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Tools;

namespace OpenGradient.Engine.LanguageModels.Chat;

/// <summary>Tools, calls and results as plain messages, for templates that do not know them.</summary>
internal static class ToolText
{
    /// <param name="messages">Normalized.</param>
    /// <param name="tools">May be empty: calls and results of an earlier turn are still readable.</param>
    public static JsonElement Rewrite(JsonElement messages, IReadOnlyList<ToolDefinition> tools) => ChatMessages.Write(writer =>
    {
        writer.WriteStartArray();
        var isFirst = true;
        foreach (var message in messages.EnumerateArray())
        {
            var role = message.GetProperty("role").GetString()!;
            var content = message.GetProperty("content").GetString()!;
            if (isFirst && tools.Count > 0)
            {
                if (role == "system") content = content.Length == 0 ? Describe(tools) : content + "\n\n" + Describe(tools);
                else WriteMessage(writer, "system", Describe(tools));
            }

            isFirst = false;
            if (message.TryGetProperty("tool_calls", out var calls)) content += Calls(calls, content.Length > 0);
            if (role == "tool") (role, content) = ("user", $"<tool_response>\n{content}\n</tool_response>");
            WriteMessage(writer, role, content);
        }

        writer.WriteEndArray();
    });

    private static string Describe(IReadOnlyList<ToolDefinition> tools)
    {
        var text = new StringBuilder("You can call tools. Write each call on its own as\n<tool_call>\n{\"name\": \"the tool's name\", \"arguments\": {}}\n</tool_call>\nThe tools, one per line:\n<tools>\n");
        foreach (var tool in ToolDefinition.ToJson(tools).EnumerateArray()) text.Append(tool.GetRawText()).Append('\n');
        return text.Append("</tools>").ToString();
    }

    private static string Calls(JsonElement calls, bool follows)
    {
        var text = new StringBuilder();
        foreach (var call in calls.EnumerateArray())
        {
            var function = call.GetProperty("function");
            if (follows || text.Length > 0) text.Append('\n');
            text.Append("<tool_call>\n{\"name\": ").Append(function.GetProperty("name").GetRawText())
                .Append(", \"arguments\": ").Append(function.GetProperty("arguments").GetRawText()).Append("}\n</tool_call>");
        }

        return text.ToString();
    }

    private static void WriteMessage(Utf8JsonWriter writer, string role, string content)
    {
        writer.WriteStartObject();
        writer.WriteString("role"u8, role);
        writer.WriteString("content"u8, content);
        writer.WriteEndObject();
    }
}
