using System.CommandLine;
using System.Text.Json;

namespace OpenGradient.Engine.Host.Commands;

/// <summary>What <c>og chat</c> and <c>og generate</c> have in common.</summary>
internal sealed class GenerationOptions
{
    public Argument<string> Model { get; } = new("model") { Description = "Name of the language model" };

    public Argument<string> Prompt { get; } = new("prompt") { Description = "What the answer follows" };

    public Option<int?> MaxTokens { get; } = new("--max-tokens") { Description = "Most tokens of the answer" };

    public Option<double?> Temperature { get; } = new("--temperature") { Description = "0 takes the most probable token; 1 is the model's own distribution" };

    public Option<long?> Seed { get; } = new("--seed") { Description = "The same seed draws the same tokens" };

    public Option<string[]> Stop { get; } = new("--stop") { Description = "Text that ends the answer; may be repeated", DefaultValueFactory = _ => [] };

    public Option<string> Wait { get; } = new("--wait") { Description = "Return when the receipt has come this far", DefaultValueFactory = _ => "fast" };

    public Option<string?> Receipt { get; } = new("--receipt") { Description = "Write the receipt with its proof as far as it has grown to this file" };

    public Option<string?> Save { get; } = new("--save") { Description = "Write the answer with everything that og replay needs to this file" };

    public Option<Uri> Url { get; } = CommonOptions.Url();

    public Option<string?> ApiKeyFile { get; } = CommonOptions.ApiKeyFile();

    public Option<double> Timeout { get; } = CommonOptions.TimeoutSeconds(60);

    public void AddTo(Command command)
    {
        Wait.AcceptOnlyFromAmong(InferCommand.Policies);
        command.Add(Model);
        command.Add(Prompt);
        foreach (var option in new Option[] { MaxTokens, Temperature, Seed, Stop, Wait, Receipt, Save, Url, ApiKeyFile, Timeout }) command.Add(option);
    }

    /// <summary>The request's properties that both have.</summary>
    public void Write(Utf8JsonWriter json, ParseResult parsed)
    {
        json.WriteString("model", parsed.GetValue(Model));
        if (parsed.GetValue(MaxTokens) is { } most) json.WriteNumber("max_tokens", most);
        if (parsed.GetValue(Temperature) is { } temperature) json.WriteNumber("temperature", temperature);
        if (parsed.GetValue(Seed) is { } seed) json.WriteNumber("seed", seed);
        if (parsed.GetValue(Stop) is { Length: > 0 } stops)
        {
            json.WriteStartArray("stop");
            foreach (var stop in stops) json.WriteStringValue(stop);
            json.WriteEndArray();
        }

        json.WriteBoolean("stream", true);
        json.WriteStartObject("stream_options");
        json.WriteBoolean("include_usage", true);
        json.WriteEndObject();
        if (parsed.GetValue(Save) is not null) json.WriteBoolean("og_replay", true);
    }
}
