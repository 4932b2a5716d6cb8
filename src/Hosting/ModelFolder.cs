using System.Text.Json;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Hosting.Configuration;

namespace OpenGradient.Engine.Hosting;

/// <summary>Turns a configured model, a folder with <c>model.json</c> or a bare file, into the engine's options.</summary>
public static class ModelFolder
{
    private const long MaxDescriptionSize = 1 << 20;

    /// <exception cref="ConfigurationException">The folder or its description is not usable; the message names it.</exception>
    public static ModelOptions Read(ModelConfiguration configured, OnnxRuntimeConfiguration runtime)
    {
        var (path, name, version, maxBatch) = Directory.Exists(configured.Path)
            ? Describe(configured.Path)
            : (configured.Path, Path.GetFileNameWithoutExtension(configured.Path), "1", (int?)null);
        return new ModelOptions
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
            Workers = runtime.Workers == 0 ? null : runtime.Workers,
            Execution = new ExecutionOptions
            {
                Device = runtime.Provider == "cuda" ? ExecutionDevice.Cuda : ExecutionDevice.Cpu,
                AllowCpuFallback = runtime.AllowCpuFallback,
            },
        };
    }

    private static QueuePolicy? Policy(QueuePolicyConfiguration? configured) => configured is null ? null : new QueuePolicy
    {
        MaxQueuedRequests = configured.MaxQueuedRequests,
        DefaultTimeout = configured.TimeoutMs is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null,
        OnTimeout = configured.OnTimeout == "downgrade" ? QueueTimeoutAction.Downgrade : QueueTimeoutAction.Reject,
    };

    private static (string Path, string Name, string Version, int? MaxBatch) Describe(string folder)
    {
        var file = Path.Combine(folder, "model.json");
        if (!File.Exists(file)) throw new ConfigurationException([$"model folder '{folder}' has no model.json"]);
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
