using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Sampling;

namespace OpenGradient.Engine.Host.Protocol.OpenAi;

/// <summary>What chat and completions have in common.</summary>
internal sealed record GenerationFields
{
    /// <summary>Choices of one request. A quarter of a full step, so that one caller's request does not fill it.</summary>
    public const int MaxChoices = 8;

    // That API has four; the scheduler takes sixteen, and refuses more.
    private const int MaxStops = 16;

    public required string Model { get; init; }

    public int Choices { get; init; } = 1;

    public int? MaxTokens { get; init; }

    public IReadOnlyList<string> Stop { get; init; } = [];

    public bool Stream { get; init; }

    public bool IncludeUsage { get; init; }

    /// <summary><c>og_replay</c>: whether the answer is to carry what replaying it needs.</summary>
    public bool Replay { get; init; }

    public bool IgnoreEndOfSequence { get; init; }

    public static GenerationFields Read(Fields fields)
    {
        // Not this host's: each would change the answer, so that ignoring it would be a lie.
        fields.Refuse("functions", "; 'tools' is");
        fields.Refuse("function_call", "; 'tool_choice' is");
        var stream = fields.Flag("stream");
        var options = fields.Object("stream_options");
        if (options is not null && !stream) throw OpenAiException.Invalid("stream_options", "is given without 'stream'");
        if (fields.Text("service_tier") is { } tier && tier is not ("auto" or "default")) throw OpenAiException.Invalid("service_tier", $"{Quoted.Text(tier)} is not offered; auto and default are");
        return new GenerationFields
        {
            Model = fields.NeededText("model"),
            Choices = fields.Integer("n", 1, MaxChoices) ?? 1,
            MaxTokens = ReadMaxTokens(fields),
            Stop = ReadStop(fields),
            Stream = stream,
            IncludeUsage = options?.Flag("include_usage") ?? false,
            Replay = fields.Flag("og_replay"),
            IgnoreEndOfSequence = fields.Flag("ignore_eos"),
        };
    }

    /// <summary>The scheduler's request.</summary>
    /// <param name="choice">Which of several for one prompt: each draws from a seed of its own, so that they differ.</param>
    public GenerationRequest ToRequest(ReadOnlyMemory<int> prompt, SamplingParameters sampling, int choice, string? caller) => new()
    {
        Prompt = prompt,
        MaxTokens = MaxTokens,
        Stop = Stop,
        Sampling = sampling.Seed is { } seed ? sampling with { Seed = unchecked(seed + (ulong)choice) } : sampling,
        IgnoreEndOfSequence = IgnoreEndOfSequence,
        Caller = caller,
        IsStreamed = Stream,
    };

    private static int? ReadMaxTokens(Fields fields)
    {
        var (newer, older) = (fields.Integer("max_completion_tokens", 1, int.MaxValue), fields.Integer("max_tokens", 1, int.MaxValue));
        if (newer is not null && older is not null && newer != older) throw OpenAiException.Invalid("max_tokens", "differs from 'max_completion_tokens'; give one of them");
        return newer ?? older;
    }

    private static string[] ReadStop(Fields fields)
    {
        if (fields.Any("stop") is not { } stop) return [];
        if (stop.ValueKind == JsonValueKind.String) return [Checked(stop, "stop")];
        if (stop.ValueKind != JsonValueKind.Array) throw OpenAiException.WrongType("stop", "a string or an array of strings");
        if (stop.GetArrayLength() > MaxStops) throw OpenAiException.Invalid("stop", $"has more than {MaxStops} texts");
        return [.. stop.EnumerateArray().Select((text, index) => Checked(text, $"stop[{index}]"))];
    }

    private static string Checked(JsonElement text, string path)
    {
        if (text.ValueKind != JsonValueKind.String) throw OpenAiException.WrongType(path, "a string");
        var value = text.GetString()!;
        return value.Length is > 0 and <= 256 ? value : throw OpenAiException.Invalid(path, "is not 1 to 256 characters long");
    }
}
