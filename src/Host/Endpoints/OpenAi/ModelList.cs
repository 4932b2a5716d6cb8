using System.Text.Json;
using OpenGradient.Engine.Host.Protocol;

namespace OpenGradient.Engine.Host.Endpoints.OpenAi;

/// <summary><c>GET /v1/models</c> and <c>GET /v1/models/{id}</c>: the language models that are served.</summary>
internal sealed class ModelList(ServedModels models)
{
    public Task All(HttpContext context) => Answers.Json(context, StatusCodes.Status200OK, json =>
    {
        json.WriteStartObject();
        json.WriteString("object", "list");
        json.WriteStartArray("data");
        foreach (var model in models.All) Write(json, model);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    public Task One(HttpContext context, string id)
    {
        var model = models.Find(id);
        return Answers.Json(context, StatusCodes.Status200OK, json => Write(json, model));
    }

    private static void Write(Utf8JsonWriter json, ServedModel model)
    {
        json.WriteStartObject();
        json.WriteString("id", model.Name);
        json.WriteString("object", "model");
        json.WriteNumber("created", model.Created.ToUnixTimeSeconds());
        json.WriteString("owned_by", "opengradient.engine");
        json.WriteString("og_version", model.Parts.Version);
        json.WriteString("og_model_identity", model.Info.Identity.ToString());
        json.WriteString("og_architecture", model.Info.Architecture);
        json.WriteString("og_backend", model.Info.Runtime.Backend);
        json.WriteString("og_precision", model.Info.Runtime.Precision);
        json.WriteNumber("og_context_length", model.Info.ContextLength);
        json.WriteNumber("og_embedding_size", model.Info.HiddenSize);
        json.WriteBoolean("og_chat", model.Parts.Template is not null);
        json.WriteEndObject();
    }
}
