using System.Text.Json;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Host.Server;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Hosting.Configuration;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary>
/// The protocol's model repository extension, on the operator's listener: index, load, unload. What is loaded are the models
/// of the configuration; a request names them and brings neither paths nor contents.
/// </summary>
internal sealed class RepositoryEndpoints(ModelRepository repository)
{
    private const string VersionParameter = "og_version";
    private const long MaxBodyBytes = 64 << 10;

    public async Task Index(HttpContext context)
    {
        var readyOnly = false;
        await Read(context, property =>
        {
            if (property.Name != "ready") throw Unknown(property.Name);
            readyOnly = property.Value.ValueKind switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                _ => throw new BadRequestException("'ready' is not true or false"),
            };
        });
        await Answers.Json(context, StatusCodes.Status200OK, json =>
        {
            json.WriteStartArray();
            foreach (var model in repository.Index().Where(model => !readyOnly || model.State == RepositoryState.Ready))
            {
                json.WriteStartObject();
                json.WriteString("name", model.Name);
                json.WriteString("version", model.Version);
                json.WriteString("state", model.State.ToString().ToUpperInvariant());
                json.WriteString("reason", model.Reason);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }

    /// <summary>Goes on when the caller leaves: what was begun for all callers is not one caller's to cut off.</summary>
    public async Task Load(HttpContext context, string model)
    {
        var version = await ReadVersion(context);
        try
        {
            var loaded = await repository.LoadAsync(model, version);
            if (loaded.Count == 0) await NotFound(context, model, version, "in the configuration");
            else await Answers.Json(context, StatusCodes.Status200OK, json => WriteLoaded(json, loaded));
        }
        catch (Exception error) when (error is ModelLoadException or ConfigurationException)
        {
            await Answers.Error(context, StatusCodes.Status422UnprocessableEntity, error.Message);
        }
    }

    public async Task Unload(HttpContext context, string model)
    {
        var version = await ReadVersion(context);
        if (!await repository.UnloadAsync(model, version)) await NotFound(context, model, version, "loaded");
        else await Answers.Json(context, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteEndObject();
        });
    }

    private static void WriteLoaded(Utf8JsonWriter json, IReadOnlyList<ModelInfo> loaded)
    {
        json.WriteStartObject();
        json.WriteStartArray("models");
        foreach (var model in loaded)
        {
            json.WriteStartObject();
            json.WriteString("name", model.Name);
            json.WriteString("version", model.Version);
            json.WriteString("identity", model.Identity.ToString());
            json.WriteNumber("bytes", model.LoadedBytes);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static async Task<string?> ReadVersion(HttpContext context)
    {
        string? version = null;
        await Read(context, property =>
        {
            if (property.Name != "parameters" || property.Value.ValueKind != JsonValueKind.Object) throw Unknown(property.Name);
            foreach (var parameter in property.Value.EnumerateObject())
            {
                // Triton's "config" and "file:" parameters would let whoever reaches this listener bring a model along.
                if (parameter.Name != VersionParameter) throw Unknown($"parameters.{parameter.Name}");
                version = parameter.Value.ValueKind == JsonValueKind.String ? parameter.Value.GetString() : throw new BadRequestException($"'{VersionParameter}' is not text");
            }
        });
        return version;
    }

    private static async Task Read(HttpContext context, Action<JsonProperty> property)
    {
        var body = await RequestBody.Read(context, MaxBodyBytes);
        if (body.IsEmpty) return;
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new BadRequestException("the body is not a JSON object");
            foreach (var one in document.RootElement.EnumerateObject()) property(one);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new BadRequestException("the body is not JSON");
        }
    }

    private static BadRequestException Unknown(string name) => new($"'{name}' is not understood here");

    private static Task NotFound(HttpContext context, string model, string? version, string where) =>
        Answers.Error(context, StatusCodes.Status404NotFound, version is null ? $"no model '{model}' is {where}" : $"no model '{model}' of version '{version}' is {where}");
}
