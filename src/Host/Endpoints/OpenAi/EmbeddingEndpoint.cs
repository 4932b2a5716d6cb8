using System.Buffers.Binary;
using System.Text.Json;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Host.Protocol.OpenAi;
using OpenGradient.Engine.Host.Server;
using OpenGradient.Engine.LanguageModels.Generation;

namespace OpenGradient.Engine.Host.Endpoints.OpenAi;

/// <summary><c>POST /v1/embeddings</c>: the last token's hidden state of each input, scaled to length 1. Embeddings have no receipts.</summary>
internal sealed class EmbeddingEndpoint(ServedModels models, long maxBodyBytes)
{
    public async Task Handle(HttpContext context)
    {
        using var document = RequestJson.Parse(await RequestBody.Read(context, maxBodyBytes));
        var request = EmbeddingRequest.Read(document.RootElement);
        var model = models.Find(request.Model);
        if (request.Dimensions is { } dimensions && dimensions != model.Info.HiddenSize)
            throw new OpenAiException(StatusCodes.Status400BadRequest, $"'dimensions' is {dimensions}; '{model.Name}' has {model.Info.HiddenSize}, and vectors are not shortened", "dimensions", "invalid_value");
        if (Releases.Read(context.Request).Policy != Hosting.ReleasePolicy.Fast)
            throw new OpenAiException(StatusCodes.Status400BadRequest, "embeddings have no receipts: only the release policy 'fast' is possible", null, "invalid_value");
        // All inputs before the first is computed: a mistake in the last costs nothing.
        int[][] inputs = [.. request.Inputs.Select(model.TokensOf)];
        var vectors = new float[inputs.Length][];
        for (var i = 0; i < inputs.Length; i++) vectors[i] = await Embed(model, inputs[i], context.RequestAborted);
        var tokens = inputs.Sum(input => (long)input.Length);
        await Answers.Json(context, StatusCodes.Status200OK, json => Write(json, model, vectors, tokens, request.AsBase64));
    }

    private static async Task<float[]> Embed(ServedModel model, int[] tokens, CancellationToken gone)
    {
        try
        {
            return await model.Embed(tokens, gone);
        }
        catch (GenerationException failed)
        {
            throw GenerationFailures.Of(failed.Failure, "input");
        }
    }

    private static void Write(Utf8JsonWriter json, ServedModel model, float[][] vectors, long tokens, bool asBase64)
    {
        json.WriteStartObject();
        json.WriteString("object", "list");
        json.WriteStartArray("data");
        for (var i = 0; i < vectors.Length; i++)
        {
            json.WriteStartObject();
            json.WriteString("object", "embedding");
            json.WriteNumber("index", i);
            json.WritePropertyName("embedding");
            if (asBase64) json.WriteBase64StringValue(LittleEndian(vectors[i]));
            else WriteNumbers(json, vectors[i]);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("model", model.Name);
        json.WriteStartObject("usage");
        json.WriteNumber("prompt_tokens", tokens);
        json.WriteNumber("total_tokens", tokens);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteNumbers(Utf8JsonWriter json, float[] vector)
    {
        json.WriteStartArray();
        foreach (var number in vector) json.WriteNumberValue(number);
        json.WriteEndArray();
    }

    private static byte[] LittleEndian(float[] vector)
    {
        var bytes = new byte[4 * vector.Length];
        for (var i = 0; i < vector.Length; i++) BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(4 * i), vector[i]);
        return bytes;
    }
}
