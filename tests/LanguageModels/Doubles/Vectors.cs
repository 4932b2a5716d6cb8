using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Sampling;

namespace OpenGradient.Engine.LanguageModels.Tests.Doubles;

/// <summary>The golden vectors of docs/formats.md, made by tests/vectors/generation/make.py.</summary>
internal static class Vectors
{
    private static readonly JsonElement All = Load();

    public static IEnumerable<JsonElement> Of(string name) => All.GetProperty(name).EnumerateArray();

    public static float Float(this JsonElement vector, string name) => BitConverter.UInt32BitsToSingle(vector.GetProperty(name).GetUInt32());

    public static int Int(this JsonElement vector, string name) => vector.GetProperty(name).GetInt32();

    public static ulong Long(this JsonElement vector, string name) => ulong.Parse(vector.GetProperty(name).GetString()!);

    public static string Text(this JsonElement vector, string name) => vector.GetProperty(name).GetString()!;

    public static int[] Ints(this JsonElement vector, string name) => [.. vector.GetProperty(name).EnumerateArray().Select(item => item.GetInt32())];

    public static Dictionary<int, float> Biases(this JsonElement vector) => vector.GetProperty("logit_bias").EnumerateArray()
        .ToDictionary(pair => pair[0].GetInt32(), pair => BitConverter.UInt32BitsToSingle(pair[1].GetUInt32()));

    public static SamplingParameters Sampling(this JsonElement vector) => new()
    {
        Temperature = vector.Float("temperature"),
        TopK = vector.Int("top_k"),
        TopP = vector.Float("top_p"),
        MinP = vector.Float("min_p"),
        RepetitionPenalty = vector.Float("repetition_penalty"),
        PresencePenalty = vector.Float("presence_penalty"),
        FrequencyPenalty = vector.Float("frequency_penalty"),
        LogitBias = vector.Biases(),
        TopLogprobs = vector.TryGetProperty("top_logprobs", out var top) && top.ValueKind == JsonValueKind.Number ? top.GetInt32() : null,
    };

    private static JsonElement Load()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "OpenGradient.Engine.sln"))) folder = folder.Parent;
        return JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder?.FullName ?? "", "tests", "vectors", "generation.json"))).RootElement;
    }
}
