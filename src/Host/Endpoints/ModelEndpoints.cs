using System.Text.Json;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Host.Server;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary>The descriptive part of the Open Inference Protocol: server, health, models.</summary>
internal sealed class ModelEndpoints(EngineHost host, Drain drain)
{
    public static Task Server(HttpContext context) => Answers.Json(context, StatusCodes.Status200OK, json =>
    {
        json.WriteStartObject();
        json.WriteString("name", "opengradient.engine");
        json.WriteString("version", BuildInfo.Version);
        json.WriteStartArray("extensions");
        json.WriteStringValue("binary_tensor_data");
        json.WriteStringValue("og_receipts");
        json.WriteEndArray();
        json.WriteEndObject();
    });

    public static Task Live(HttpContext context) => Flag(context, "live", true);

    /// <summary>Ready while every model that should serve does, settlement has not stopped for good, and nobody asked to drain.</summary>
    public Task Ready(HttpContext context) => Flag(context, "ready", !drain.IsDraining && !host.Settling.IsFaulted && !host.IsHalted && host.Repository.IsReady);

    public Task ModelReady(HttpContext context, string model, string? version) =>
        host.Engine.Health(model, version) is { } health ? Flag(context, "ready", health.Health != ModelHealth.Unavailable) : Unknown(context, model, version);

    public Task Model(HttpContext context, string model, string? version)
    {
        if (host.Engine.Find(model, version) is not { } info) return Unknown(context, model, version);
        return Answers.Json(context, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteString("name", info.Name);
            json.WriteStartArray("versions");
            foreach (var loaded in host.Engine.Models.Where(other => other.Name == info.Name)) json.WriteStringValue(loaded.Version);
            json.WriteEndArray();
            json.WriteString("platform", $"{info.Context.Runtime.Backend}_{info.Context.Runtime.Provider}");
            WriteSpecs(json, "inputs", info.Inputs);
            WriteSpecs(json, "outputs", info.Outputs);
            json.WriteStartObject("parameters");
            json.WriteString("og_model_identity", info.Identity.ToString());
            json.WriteString("og_determinism", info.Context.Determinism.ToString());
            json.WriteNumber("og_max_batch", info.Options.MaxBatch);
            // The state alone: its reasons can quote the backend, and are on the operator's listener.
            json.WriteString("og_health", (host.Engine.Health(info.Name, info.Version)?.Health ?? ModelHealth.Unavailable).ToString().ToLowerInvariant());
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    private static void WriteSpecs(Utf8JsonWriter json, string name, IReadOnlyList<TensorSpec> specs)
    {
        json.WriteStartArray(name);
        foreach (var spec in specs)
        {
            json.WriteStartObject();
            json.WriteString("name", spec.Name);
            json.WriteString("datatype", DataType.NameOf((byte)spec.Type));
            json.WriteStartArray("shape");
            foreach (var dimension in spec.Dimensions) json.WriteNumberValue(dimension);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static Task Flag(HttpContext context, string name, bool value) =>
        Answers.Json(context, value ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, json =>
        {
            json.WriteStartObject();
            json.WriteBoolean(name, value);
            json.WriteEndObject();
        });

    private static Task Unknown(HttpContext context, string model, string? version) =>
        Answers.Error(context, StatusCodes.Status404NotFound, version is null ? $"no model '{model}' is loaded" : $"no model '{model}' of version '{version}' is loaded");
}
