using System.Text.Json;

namespace OpenGradient.Engine.Host.Protocol.OpenAi;

/// <summary>A body of <c>POST /v1/embeddings</c>.</summary>
internal sealed record EmbeddingRequest(string Model, IReadOnlyList<PromptText> Inputs, bool AsBase64, int? Dimensions)
{
    // That API's.
    private const int MaxInputs = 2048;

    public static EmbeddingRequest Read(JsonElement json)
    {
        var fields = new Fields(json);
        var format = fields.Text("encoding_format") ?? "float";
        if (format is not ("float" or "base64")) throw OpenAiException.Invalid("encoding_format", $"{Quoted.Text(format)} is neither float nor base64");
        return new EmbeddingRequest(fields.NeededText("model"), PromptFields.Read(fields, "input", MaxInputs), format == "base64", fields.Integer("dimensions", 1, int.MaxValue));
    }
}
