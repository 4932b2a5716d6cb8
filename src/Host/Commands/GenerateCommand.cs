using System.CommandLine;
using OpenGradient.Engine.Host.Protocol;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og generate MODEL PROMPT</c>: continues a text, streamed to the terminal.</summary>
internal static class GenerateCommand
{
    public static Command Create()
    {
        var options = new GenerationOptions();
        var command = new Command("generate", "Have a language model of a running host continue a text; no chat template is used");
        options.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            var body = Answers.Render(json =>
            {
                json.WriteStartObject();
                options.Write(json, parsed);
                json.WriteString("prompt", parsed.GetValue(options.Prompt));
                json.WriteEndObject();
            });
            return GenerationSession.Run("v1/completions", body.WrittenMemory, options, parsed, cancellation);
        });
        return command;
    }
}
