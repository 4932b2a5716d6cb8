using System.Text;
using System.Text.Json;

namespace OpenGradient.Engine.Host.Client;

/// <summary>Answers and stages as one line for people.</summary>
public static class AnswerText
{
    private const int ShownElements = 6;

    /// <summary>For example <c>digits 1  label [7]  logits [10] -3.1 0.2 …</c>.</summary>
    public static string Outputs(JsonElement answer)
    {
        if (!answer.TryGetProperty("outputs", out var outputs)) return "(no outputs: the answer is kept by the host)";
        var text = new StringBuilder($"{answer.GetProperty("model_name").GetString()} {answer.GetProperty("model_version").GetString()}");
        foreach (var output in outputs.EnumerateArray()) text.Append("  ").Append(Output(output));
        return text.ToString();
    }

    public static string Stage(JsonElement status) => status.GetProperty("stage").GetString() ?? "?";

    private static string Output(JsonElement output)
    {
        var data = output.GetProperty("data");
        var shown = data.EnumerateArray().Take(ShownElements).Select(element => element.ValueKind == JsonValueKind.Number && !element.TryGetInt64(out _) ? element.GetDouble().ToString("G5") : element.ToString());
        var more = data.GetArrayLength() > ShownElements ? " …" : "";
        return $"{output.GetProperty("name").GetString()} {output.GetProperty("shape").GetRawText()} = {string.Join(' ', shown)}{more}";
    }
}
