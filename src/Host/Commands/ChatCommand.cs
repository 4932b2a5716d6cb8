using System.CommandLine;
using System.Text.Json;
using OpenGradient.Engine.Host.Protocol;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og chat MODEL PROMPT</c>: one turn, streamed to the terminal.</summary>
internal static class ChatCommand
{
    public static Command Create()
    {
        var options = new GenerationOptions();
        var system = new Option<string?>("--system") { Description = "A message of the system before the prompt" };
        var command = new Command("chat", "Ask a language model of a running host; the answer is printed as it is written, and where its receipt stands") { system };
        options.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            var body = Answers.Render(json =>
            {
                json.WriteStartObject();
                options.Write(json, parsed);
                json.WriteStartArray("messages");
                if (parsed.GetValue(system) is { } instructions) WriteMessage(json, "system", instructions);
                WriteMessage(json, "user", parsed.GetValue(options.Prompt)!);
                json.WriteEndArray();
                json.WriteEndObject();
            });
            return GenerationSession.Run("v1/chat/completions", body.WrittenMemory, options, parsed, cancellation);
        });
        return command;
    }

    internal static void WriteMessage(Utf8JsonWriter json, string role, string content)
    {
        json.WriteStartObject();
        json.WriteString("role", role);
        json.WriteString("content", content);
        json.WriteEndObject();
    }
}
