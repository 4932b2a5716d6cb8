using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Sampling;

namespace OpenGradient.Engine.Host.Protocol.OpenAi;

/// <summary>A body of <c>POST /v1/completions</c>, checked as far as it can be without its model.</summary>
/// <param name="Echo">Whether the prompt precedes its continuation.</param>
internal sealed record CompletionRequest(GenerationFields Common, SamplingParameters Sampling, IReadOnlyList<PromptText> Prompts, bool Echo)
{
    /// <summary>Prompts times <c>n</c>: each is a place in the queue and, once it runs, in the step.</summary>
    public const int MaxAnswers = 64;

    // That API's, where nothing is said.
    private const int DefaultTokens = 16;

    public static CompletionRequest Read(JsonElement json)
    {
        var fields = new Fields(json);
        if (fields.Text("suffix") is { Length: > 0 }) throw OpenAiException.Unsupported("suffix", ": models here continue, and do not fill in");
        var common = GenerationFields.Read(fields);
        if (fields.Integer("best_of", 1, int.MaxValue) is { } best && best != common.Choices) throw OpenAiException.Unsupported("best_of", " unless it equals 'n'");
        var prompts = PromptFields.Read(fields, "prompt", MaxAnswers);
        if (prompts.Count * common.Choices > MaxAnswers) throw OpenAiException.Invalid("n", $"times the number of prompts is more than {MaxAnswers}");
        var (echo, logprobs) = (fields.Flag("echo"), fields.Integer("logprobs", 0, SamplingFields.MaxTopLogprobs));
        if (echo && logprobs is not null) throw OpenAiException.Unsupported("echo", " beside 'logprobs': prompts are not scored");
        return new CompletionRequest(common with { MaxTokens = common.MaxTokens ?? DefaultTokens }, SamplingFields.Read(fields, logprobs), prompts, echo);
    }
}
