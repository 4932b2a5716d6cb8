using OpenGradient.Engine.Hosting.Configuration;

namespace OpenGradient.Engine.Hosting;

/// <summary>Whether a model of the repository answers.</summary>
public enum RepositoryState
{
    /// <summary>It serves; a reason says what its operator should know.</summary>
    Ready,

    /// <summary>It is being read or opened for the first time.</summary>
    Loading,

    /// <summary>It does not serve; the reason says why.</summary>
    Unavailable,
}

/// <summary>One version of one model, as the index shows it.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Version">Its version; empty where its description cannot be read.</param>
/// <param name="State">Whether it answers.</param>
/// <param name="Reason">For the operator: why it does not, what was reported against it, or why its last load failed; empty when there is nothing to say.</param>
public sealed record RepositoryModel(string Name, string Version, RepositoryState State, string Reason);

/// <summary>
/// The models that the configuration names, and those in its models folder: what may be loaded, what is, and what should be.
/// Folders are read again at each load; no path comes from a caller. One load or unload at a time, so that no more than one
/// model more than configured is in memory. Safe for concurrent calls.
/// </summary>
#pragma warning disable CA1001 // The semaphore has nothing to release: its wait handle is never asked for.
public sealed class ModelRepository
#pragma warning restore CA1001
{
    private readonly HostConfiguration _configuration;
    private readonly InferenceEngine _engine;
    private readonly SemaphoreSlim _one = new(1, 1);

    // Guards the three below.
    private readonly Lock _gate = new();
    private readonly HashSet<(string Name, string Version)> _expected = [];
    private readonly Dictionary<(string Name, string Version), string> _failures = [];
    private (string Name, string Version)? _loading;

    internal ModelRepository(HostConfiguration configuration, InferenceEngine engine) => (_configuration, _engine) = (configuration, engine);

    /// <summary>Whether everything that was loaded and not unloaded is served, and no model refuses its requests.</summary>
    public bool IsReady
    {
        get
        {
            lock (_gate)
            {
                if (!_expected.All(model => _engine.Find(model.Name, model.Version) is not null)) return false;
            }

            return _engine.Models.All(model => _engine.Health(model.Name, model.Version) is not { Health: ModelHealth.Unavailable });
        }
    }

    /// <summary>Every version of every model that is served or could be.</summary>
    public IReadOnlyList<RepositoryModel> Index()
    {
        var models = _engine.Models.Select(Served).ToList();
        foreach (var source in Sources())
        {
            var model = Describe(source);
            if (!models.Any(other => (other.Name, other.Version) == (model.Name, model.Version))) models.Add(model);
        }

        return models;
    }

    /// <summary>Loads, or loads again, every version of a name, or one of them. What served before serves until its successor does.</summary>
    /// <returns>What serves now; empty when the repository has no such model.</returns>
    /// <exception cref="ModelLoadException">A version cannot be served; those before it are loaded, what served before keeps serving.</exception>
    /// <exception cref="ConfigurationException">A description or an option is not usable.</exception>
    public async Task<IReadOnlyList<ModelInfo>> LoadAsync(string name, string? version, CancellationToken cancellation = default)
    {
        await _one.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var loaded = new List<ModelInfo>();
            // Two folders that hold one version, as ONNX and as TorchScript: the first of them, or each would replace the other.
            foreach (var options in Sources().Select(TryRead).OfType<ModelOptions>().Where(options => options.Name == name && (version ?? options.Version) == options.Version).DistinctBy(options => options.Version).ToArray())
                loaded.Add(await Load(options, cancellation).ConfigureAwait(false));
            // A model that is meant, but whose description cannot be read, is no unknown one.
            if (loaded.Count == 0 && Sources().FirstOrDefault(source => NameOf(source) == name && TryRead(source) is null) is { } broken) Read(broken);
            return loaded;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Unloads every version of a name, or one of them; what was admitted is answered. False when none was loaded.</summary>
    public async Task<bool> UnloadAsync(string name, string? version, CancellationToken cancellation = default)
    {
        await _one.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var any = false;
            foreach (var model in _engine.Models.Where(model => model.Name == name && (version ?? model.Version) == model.Version).ToArray())
            {
                lock (_gate)
                {
                    _expected.Remove((model.Name, model.Version));
                    _failures[(model.Name, model.Version)] = "unloaded";
                }

                any |= await _engine.UnloadModelAsync(model.Name, model.Version).ConfigureAwait(false);
            }

            return any;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Loads what the configuration names; the first that cannot be served ends it.</summary>
    internal async Task LoadConfiguredAsync(CancellationToken cancellation)
    {
        foreach (var model in _configuration.Models) await Load(Read(model), cancellation).ConfigureAwait(false);
    }

    private async Task<ModelInfo> Load(ModelOptions options, CancellationToken cancellation)
    {
        var key = (options.Name, options.Version);
        lock (_gate) _loading = key;
        try
        {
            var info = await _engine.LoadModelAsync(options, cancellation).ConfigureAwait(false);
            lock (_gate)
            {
                _expected.Add(key);
                _failures.Remove(key);
            }

            return info;
        }
        catch (Exception error) when (error is ModelLoadException or ArgumentException)
        {
            lock (_gate) _failures[key] = error.Message;
            if (error is ArgumentException) throw new ConfigurationException([$"model '{options.Name}': {error.Message}"]);
            throw;
        }
        finally
        {
            lock (_gate) _loading = null;
        }
    }

    private RepositoryModel Served(ModelInfo info)
    {
        var health = _engine.Health(info.Name, info.Version) ?? new ModelHealthReport(ModelHealth.Unavailable, ["unloaded"]);
        IEnumerable<string> reasons = health.Reasons;
        lock (_gate)
            if (_failures.TryGetValue((info.Name, info.Version), out var failure)) reasons = reasons.Append($"serves what was loaded before: {failure}");
        return new RepositoryModel(
            info.Name, info.Version, health.Health == ModelHealth.Unavailable ? RepositoryState.Unavailable : RepositoryState.Ready, string.Join("; ", reasons));
    }

    private RepositoryModel Describe(ModelConfiguration source)
    {
        try
        {
            var options = Read(source);
            var key = (options.Name, options.Version);
            lock (_gate)
            {
                return _loading == key
                    ? new RepositoryModel(options.Name, options.Version, RepositoryState.Loading, "")
                    : new RepositoryModel(options.Name, options.Version, RepositoryState.Unavailable, _failures.GetValueOrDefault(key, "not loaded"));
            }
        }
        catch (ConfigurationException error)
        {
            return new RepositoryModel(NameOf(source), source.ModelVersion ?? "", RepositoryState.Unavailable, error.Message);
        }
    }

    private IEnumerable<ModelConfiguration> Sources() =>
        _configuration.ModelsFolder is { } folder ? _configuration.Models.Concat(ModelFolder.Below(folder)) : _configuration.Models;

    private ModelOptions Read(ModelConfiguration source) => ModelFolder.Read(source, _configuration.OnnxRuntime, _configuration.Torch);

    private ModelOptions? TryRead(ModelConfiguration source)
    {
        try
        {
            return Read(source);
        }
        catch (ConfigurationException)
        {
            // One model's broken description is no reason not to load another.
            return null;
        }
    }

    private static string NameOf(ModelConfiguration source) => source.Name ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(source.Path));
}
