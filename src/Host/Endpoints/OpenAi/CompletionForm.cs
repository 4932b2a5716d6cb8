using System.Text.Json;
using OpenGradient.Engine.Host.Protocol.OpenAi;
using OpenGradient.Engine.LanguageModels.Generation;

namespace OpenGradient.Engine.Host.Endpoints.OpenAi;

/// <summary>Answers of <c>/v1/completions</c>.</summary>
/// <param name="echo">The prompt's text for each choice; empty where it is not asked for.</param>
/// <param name="logprobs">Null where none were asked for.</param>
internal sealed class CompletionForm(IReadOnlyList<string> echo, LogprobsJson? logprobs) : AnswerForm
{
    // Where in each choice's text the next token begins.
    private readonly int[] _offsets = new int[echo.Count];

    public override string Whole => "text_completion";

    public override string Chunk => "text_completion";

    public override string IdPrefix => "cmpl-";

    public override string Prompt => "prompt";

    public override void WriteChoice(Utf8JsonWriter json, int choice, GenerationResult result) =>
        WriteEntry(json, choice, echo[choice] + result.Text, result.Logprobs, FinishText(result.Finish));

    public override IEnumerable<Action<Utf8JsonWriter>> Begin(int choice) =>
        echo[choice].Length > 0 ? [json => WriteEntry(json, choice, echo[choice], [], null)] : [];

    public override IEnumerable<Action<Utf8JsonWriter>> Append(int choice, GenerationPart part) =>
        part.Text.Length > 0 || (logprobs is not null && part.Logprobs.Count > 0) ? [json => WriteEntry(json, choice, part.Text, part.Logprobs, null)] : [];

    public override IEnumerable<Action<Utf8JsonWriter>> Finish(int choice, GenerationResult result) =>
        [json => WriteEntry(json, choice, "", [], FinishText(result.Finish))];

    public override void WriteNothing(Utf8JsonWriter json, int choice) => WriteEntry(json, choice, "", [], null);

    private void WriteEntry(Utf8JsonWriter json, int choice, string text, IReadOnlyList<TokenLogprobs> positions, string? finish)
    {
        json.WriteString("text", text);
        json.WriteNumber("index", choice);
        if (logprobs is null || positions.Count == 0) json.WriteNull("logprobs");
        else logprobs.WriteCompletion(json, positions, ref _offsets[choice]);
        json.WriteString("finish_reason", finish);
    }
}
