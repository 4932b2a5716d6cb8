using System.Collections;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace OpenGradient.Engine.Hosting.Configuration;

/// <summary>What is wrong with a configuration: every message names the key and what was expected.</summary>
public sealed class ConfigurationException(IReadOnlyList<string> errors) : Exception(string.Join(Environment.NewLine, errors))
{
    public IReadOnlyList<string> Errors { get; } = errors;
}

/// <summary>Reads a configuration: file, then environment (<c>OG_CONFIG__http__listen</c>), then flags (<c>http.listen=…</c>). Unknown keys are refused.</summary>
public static class ConfigurationLoader
{
    public const int NewestVersion = 1;
    private const string EnvironmentPrefix = "OG_CONFIG__";
    private const long MaxFileSize = 1 << 20;

    /// <param name="file">Path of the JSON file, or null for defaults alone.</param>
    /// <param name="environment">The process's environment.</param>
    /// <param name="settings">Flags, each <c>section.key=value</c>.</param>
    /// <exception cref="ConfigurationException">With every error found.</exception>
    public static HostConfiguration Load(string? file, IDictionary environment, IEnumerable<string> settings)
    {
        var root = file is null ? [] : ReadFile(file);
        foreach (DictionaryEntry variable in environment)
        {
            if (variable.Key is string name && name.StartsWith(EnvironmentPrefix, StringComparison.Ordinal))
                Set(root, name[EnvironmentPrefix.Length..].Split("__"), (string?)variable.Value ?? "", name);
        }

        foreach (var setting in settings)
        {
            var equals = setting.IndexOf('=');
            if (equals < 1) throw new ConfigurationException([$"--set {setting}: expected section.key=value"]);
            Set(root, setting[..equals].Split('.'), setting[(equals + 1)..], $"--set {setting[..equals]}");
        }

        var configuration = Deserialize(root, file);
        var errors = ConfigurationCheck.Errors(configuration);
        return errors.Count == 0 ? Rebase(configuration, file) : throw new ConfigurationException(errors);
    }

    private static JsonObject ReadFile(string file)
    {
        var info = new FileInfo(file);
        if (!info.Exists) throw new ConfigurationException([$"configuration file '{file}' does not exist"]);
        if (info.Length > MaxFileSize) throw new ConfigurationException([$"configuration file '{file}' is larger than {MaxFileSize} bytes"]);
        try
        {
            var options = new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, AllowDuplicateProperties = false };
            return JsonNode.Parse(File.ReadAllText(file), documentOptions: options) as JsonObject
                ?? throw new ConfigurationException([$"configuration file '{file}' is not a JSON object"]);
        }
        catch (JsonException e)
        {
            // The reader says where, except of a key that is there twice, which it finds afterwards.
            throw new ConfigurationException([$"configuration file '{file}': malformed JSON{(e.LineNumber is { } line ? $" at line {line + 1}" : $": {e.Message}")}"]);
        }
    }

    private static void Set(JsonObject root, string[] path, string value, string source)
    {
        var node = root;
        foreach (var part in path[..^1])
        {
            if (node[part] is not JsonObject child) node[part] = child = [];
            node = child;
        }

        // A value is JSON where it reads as JSON (numbers, booleans, lists) and text otherwise, so that paths need no quotes.
        try
        {
            node[path[^1]] = value.Length == 0 ? null : JsonNode.Parse(value, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false });
        }
        catch (JsonException e) when (e.LineNumber is null)
        {
            throw new ConfigurationException([$"{source}: {e.Message}"]);
        }
        catch (JsonException)
        {
            node[path[^1]] = value;
        }

        if (path.Any(string.IsNullOrEmpty)) throw new ConfigurationException([$"{source}: empty key"]);
    }

    private static HostConfiguration Deserialize(JsonObject root, string? file)
    {
        if (root["version"] is JsonValue version && version.TryGetValue<int>(out var number) && number > NewestVersion)
            throw new ConfigurationException([$"configuration '{file}' is of version {number}; this build reads up to {NewestVersion}"]);
        try
        {
            return WithDefaults(root).Deserialize(ConfigurationJson.Default.HostConfiguration)!;
        }
        catch (JsonException e)
        {
            throw new ConfigurationException([$"configuration key '{e.Path}': {Explain(e)}"]);
        }
    }

    // The generated reader sets absent init-only properties to zero or null, so the defaults are laid under the file first.
    private static JsonObject WithDefaults(JsonObject given)
    {
        var chain = JsonSerializer.SerializeToNode(new ChainConfiguration(), ConfigurationJson.Default.ChainConfiguration)!.AsObject();
        if (given["chain"] is JsonObject asked && asked["remoteSigner"] is JsonObject)
            chain["remoteSigner"] = JsonSerializer.SerializeToNode(new RemoteSignerConfiguration(), ConfigurationJson.Default.RemoteSignerConfiguration);
        var model = JsonSerializer.SerializeToNode(new ModelConfiguration(), ConfigurationJson.Default.ModelConfiguration)!.AsObject();
        var all = JsonSerializer.SerializeToNode(new HostConfiguration(), ConfigurationJson.Default.HostConfiguration)!.AsObject();
        if (given["chain"] is JsonObject) all["chain"] = chain;
        var language = JsonSerializer.SerializeToNode(new LanguageModelConfiguration(), ConfigurationJson.Default.LanguageModelConfiguration)!.AsObject();
        LayUnder(given["models"], model);
        LayUnder(given["languageModels"], language);
        return Overlay(all, given);
    }

    private static void LayUnder(JsonNode? list, JsonObject defaults)
    {
        if (list is not JsonArray entries) return;
        for (var i = 0; i < entries.Count; i++)
            if (entries[i] is JsonObject one) entries[i] = Overlay(defaults.DeepClone().AsObject(), one);
    }

    private static JsonObject Overlay(JsonObject under, JsonObject over)
    {
        foreach (var (key, value) in over)
        {
            if (value is JsonObject child && under[key] is JsonObject below) Overlay(below, child);
            else under[key] = value?.DeepClone();
        }

        return under;
    }

    private static string Explain(JsonException e) =>
        e.Message.Contains("could not be mapped", StringComparison.Ordinal) ? "unknown key" : "wrong type of value";

    private static HostConfiguration Rebase(HostConfiguration configuration, string? file)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file ?? "og.json"))!;
        string At(string path) => Path.GetFullPath(path, folder);
        string? AtOrNull(string? path) => string.IsNullOrEmpty(path) ? null : At(path);
        return configuration with
        {
            Data = At(configuration.Data),
            Models = [.. configuration.Models.Select(model => model with { Path = At(model.Path) })],
            ModelsFolder = AtOrNull(configuration.ModelsFolder),
            LanguageModels = [.. configuration.LanguageModels.Select(model => model with { Path = At(model.Path) })],
            Kernels = configuration.Kernels with { Library = AtOrNull(configuration.Kernels.Library) },
            OnnxRuntime = configuration.OnnxRuntime with { Library = AtOrNull(configuration.OnnxRuntime.Library) },
            Torch = configuration.Torch with { Library = AtOrNull(configuration.Torch.Library) },
            Attestation = configuration.Attestation with
            {
                Library = AtOrNull(configuration.Attestation.Library), Policy = AtOrNull(configuration.Attestation.Policy), Collateral = AtOrNull(configuration.Attestation.Collateral),
            },
            Storage = configuration.Storage with { PruneTo = AtOrNull(configuration.Storage.PruneTo) },
            Telemetry = configuration.Telemetry with { HeadersFile = AtOrNull(configuration.Telemetry.HeadersFile) },
            Outbox = configuration.Outbox with { ConnectionStringFile = AtOrNull(configuration.Outbox.ConnectionStringFile), TrustFile = AtOrNull(configuration.Outbox.TrustFile) },
            Http = configuration.Http with
            {
                ApiKeysFile = AtOrNull(configuration.Http.ApiKeysFile),
                TlsCertificateFile = AtOrNull(configuration.Http.TlsCertificateFile),
                TlsKeyFile = AtOrNull(configuration.Http.TlsKeyFile),
            },
            Chain = configuration.Chain is null ? null : configuration.Chain with
            {
                TransactionKeyFile = AtOrNull(configuration.Chain.TransactionKeyFile) ?? "",
                TransactionKeyPasswordFile = AtOrNull(configuration.Chain.TransactionKeyPasswordFile),
            },
        };
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HostConfiguration))]
public sealed partial class ConfigurationJson : JsonSerializerContext;
