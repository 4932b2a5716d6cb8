using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Backends;
using OpenGradient.Engine.Hosting.Configuration;

namespace OpenGradient.Engine.Hosting;

/// <summary>Turns a configured model, a folder with <c>model.json</c> or a bare file, into the engine's options.</summary>
public static class ModelFolder
{
    private const string Description = "model.json";
    private const long MaxDescriptionSize = 1 << 20;

    // A folder of models is somebody's collection; beyond this it is a mistaken path.
    private const int MaxModels = 1000;

    /// <summary>The models in a folder: its subfolders with a <c>model.json</c>, and the subfolders of those without (versions of one model). Language models are not among them.</summary>
    public static IReadOnlyList<ModelConfiguration> Below(string folder)
    {
        try
        {
            return [.. SubfoldersOf(folder).SelectMany(ModelsIn).Where(model => !IsLanguageModel(model)).Take(MaxModels).Select(model => new ModelConfiguration { Path = model })];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // What the configuration names by itself stays loadable.
            return [];
        }
    }

    /// <summary>Whether a folder's <c>model.json</c> says <c>"kind": "language"</c>: such a model is served by the language-model room, not by the engine.</summary>
    public static bool IsLanguageModel(string folder)
    {
        var file = Path.Combine(folder, Description);
        try
        {
            if (!File.Exists(file) || new FileInfo(file).Length > MaxDescriptionSize) return false;
            using var description = JsonDocument.Parse(File.ReadAllBytes(file));
            return description.RootElement.ValueKind == JsonValueKind.Object
                && description.RootElement.TryGetProperty("kind", out var kind) && kind.ValueKind == JsonValueKind.String && kind.ValueEquals("language");
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            // Whoever loads the model says what is wrong with its description.
            return false;
        }
    }

    /// <exception cref="ConfigurationException">The folder or its description is not usable; the message names it.</exception>
    public static ModelOptions Read(ModelConfiguration configured, OnnxRuntimeConfiguration runtime) => Read(configured, runtime, new TorchConfiguration());

    /// <exception cref="ConfigurationException">The folder or its description is not usable; the message names it.</exception>
    public static ModelOptions Read(ModelConfiguration configured, OnnxRuntimeConfiguration runtime, TorchConfiguration torch)
    {
        var (path, name, version, maxBatch) = Directory.Exists(configured.Path)
            ? Describe(configured.Path)
            : (configured.Path, Path.GetFileNameWithoutExtension(configured.Path), "1", (int?)null);
        var (execution, workers) = ModelBackends.ExecutionOf(configured, path, runtime, torch);
        var options = new ModelOptions
        {
            Name = configured.Name ?? name,
            Version = configured.ModelVersion ?? version,
            Path = path,
            MaxBatch = configured.MaxBatch ?? maxBatch ?? 64,
            MaxQueueDelay = TimeSpan.FromMilliseconds(configured.MaxQueueDelayMs),
            MaxQueuedRequests = configured.MaxQueuedRequests,
            MaxCallerShare = configured.Queue.CallerShare,
            QueuePolicies = new QueuePolicies { High = Policy(configured.Queue.High), Normal = Policy(configured.Queue.Normal), Low = Policy(configured.Queue.Low) },
            NonFinite = configured.RejectNaN ? NonFinitePolicy.Reject : NonFinitePolicy.Allow,
            ExecutionTimeout = TimeSpan.FromMilliseconds(configured.ExecutionTimeoutMs),
            TerminationGrace = TimeSpan.FromMilliseconds(configured.TerminationGraceMs),
            MaxHungCalls = configured.MaxHungCalls,
            RunInline = Enum.Parse<RunInline>(configured.RunInline, ignoreCase: true),
            // The general figure is meant for calls of one thread; with more, the cores are divided anew.
            Workers = configured.Workers ?? (workers == 0 || configured.IntraOpThreads > 1 ? null : workers),
            AllowOversubscription = configured.AllowOversubscription,
            MaxArtifactBytes = configured.MaxBytes,
            Determinism = configured.Determinism is { } letter ? Enum.Parse<DeterminismClass>(letter) : null,
            PaddingMultiple = configured.PaddingMultiple,
            MinimumRows = configured.MinimumRows,
            ProbeBudget = TimeSpan.FromMilliseconds(configured.ProbeBudgetMs),
            RecheckOneIn = configured.RecheckOneIn,
            BatchAcrossCallers = configured.BatchAcrossCallers == "always" ? BatchAcrossCallers.Always : BatchAcrossCallers.Auto,
            Execution = execution,
        };
        try
        {
            options.Validate();
        }
        catch (ArgumentException e)
        {
            throw new ConfigurationException([$"model '{configured.Path}': {e.Message}"]);
        }

        return options;
    }

    private static IEnumerable<string> ModelsIn(string folder) => HasDescription(folder) ? [folder] : SubfoldersOf(folder).Where(HasDescription);

    private static IEnumerable<string> SubfoldersOf(string folder) => Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal);

    private static bool HasDescription(string folder) => File.Exists(Path.Combine(folder, Description));

    private static QueuePolicy? Policy(QueuePolicyConfiguration? configured) => configured is null ? null : new QueuePolicy
    {
        MaxQueuedRequests = configured.MaxQueuedRequests,
        DefaultTimeout = configured.TimeoutMs is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null,
        OnTimeout = configured.OnTimeout == "downgrade" ? QueueTimeoutAction.Downgrade : QueueTimeoutAction.Reject,
    };

    private static (string Path, string Name, string Version, int? MaxBatch) Describe(string folder)
    {
        var file = Path.Combine(folder, Description);
        if (!File.Exists(file)) throw new ConfigurationException([$"model folder '{folder}' has no model.json"]);
        if (IsLanguageModel(folder)) throw new ConfigurationException([$"'{folder}' is a language model: name it under languageModels"]);
        if (new FileInfo(file).Length > MaxDescriptionSize) throw new ConfigurationException([$"'{file}' is larger than {MaxDescriptionSize} bytes"]);
        try
        {
            using var description = JsonDocument.Parse(File.ReadAllBytes(file));
            var root = description.RootElement;
            return (
                Path.Combine(folder, root.GetProperty("file").GetString()!),
                root.GetProperty("name").GetString()!,
                root.GetProperty("version").GetString()!,
                root.TryGetProperty("maxBatch", out var maxBatch) ? maxBatch.GetInt32() : null);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new ConfigurationException([$"'{file}' is not a model description: name, version and file are needed"]);
        }
    }
}
