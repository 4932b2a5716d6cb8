using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.LanguageModels;
using OpenGradient.Engine.LanguageModels.Loading;

namespace OpenGradient.Engine.Hosting.LanguageModels;

/// <summary>The language models that the configuration names, all of them served from the start to the stop. Safe for concurrent calls.</summary>
public sealed class LanguageModelRepository : IAsyncDisposable
{
    // Loaded before anybody asks, and not changed afterwards.
    private readonly List<LanguageModel> _models = [];

    internal LanguageModelRepository()
    {
    }

    /// <summary>In the order of the configuration.</summary>
    public IReadOnlyList<LanguageModel> All => _models;

    /// <summary>Null when no model has this name.</summary>
    public LanguageModel? Find(string name) => _models.Find(model => model.Name == name);

    /// <summary>Ends every answer where it is, with its head signed, and gives the memory back.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var model in _models) await model.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Loads what the configuration names; the first that cannot be served ends it. What was loaded before is disposed with the repository.</summary>
    /// <exception cref="LanguageModelLoadException">A folder cannot be served; the message names it.</exception>
    /// <exception cref="ConfigurationException">Two models have the same name, or a model does not fit its bounds.</exception>
    internal async Task LoadConfiguredAsync(
        HostConfiguration configuration, LanguageModelServices services, IProgress<LanguageModelProgress>? progress, CancellationToken cancellation)
    {
        foreach (var model in configuration.LanguageModels)
        {
            var parts = await OpenAsync(configuration, model, progress, cancellation).ConfigureAwait(false);
            if (Find(parts.Name) is not null)
            {
                parts.Runtime.Dispose();
                throw new ConfigurationException([$"languageModels: '{model.Path}' has the name '{parts.Name}', which another has; give it a name of its own"]);
            }

            _models.Add(Serve(model, parts, services));
        }
    }

    private static async Task<LanguageModelParts> OpenAsync(
        HostConfiguration configuration, LanguageModelConfiguration model, IProgress<LanguageModelProgress>? progress, CancellationToken cancellation)
    {
        try
        {
            return await LanguageModelFolder.OpenAsync(model.Path, LoadOptions(configuration, model, progress), cancellation).ConfigureAwait(false);
        }
        catch (LanguageModelLoadException refused)
        {
            throw new LanguageModelLoadException($"language model '{model.Path}': {refused.Message}", refused);
        }
    }

    private static LanguageModel Serve(LanguageModelConfiguration model, LanguageModelParts parts, LanguageModelServices services)
    {
        try
        {
            return new LanguageModel(parts, ServingOptions(model), services);
        }
        catch (ArgumentException refused)
        {
            parts.Runtime.Dispose();
            throw new ConfigurationException([$"language model '{model.Path}': {refused.Message}"]);
        }
    }

    private static LanguageModelLoadOptions LoadOptions(HostConfiguration configuration, LanguageModelConfiguration model, IProgress<LanguageModelProgress>? progress) => new()
    {
        Name = model.Name,
        Version = model.Version,
        Scheme = model.ParsedScheme,
        Threads = model.Threads,
        CacheBytes = (long)model.CacheMiB << 20,
        ContextLength = model.ContextLength,
        MaxSequences = model.MaxSequences,
        InstructionSet = configuration.Kernels.InstructionSet,
        KernelsLibrary = configuration.Kernels.Library,
        OnnxRuntimeLibrary = configuration.OnnxRuntime.Library,
        Progress = progress is null ? null : new FolderProgress(model.Path, progress),
    };

    private static LanguageModelOptions ServingOptions(LanguageModelConfiguration model) => new()
    {
        MaxQueued = model.MaxQueued,
        MaxCallerShare = model.CallerShare,
        PrefillTokensPerStep = model.PrefillTokensPerStep,
        ReusePrefixes = model.ReusePrefixes,
        SharePrefixesAcrossCallers = model.SharePrefixesAcrossCallers,
        Commitments = new CommitmentOptions { EveryTokens = model.HeadEveryTokens, Every = TimeSpan.FromMilliseconds(model.HeadEveryMs) },
    };

    /// <summary>Says which folder it is, and no more than once per percent.</summary>
    private sealed class FolderProgress(string folder, IProgress<LanguageModelProgress> told) : IProgress<LoadProgress>
    {
        private int _percent = -1;

        public void Report(LoadProgress value)
        {
            var progress = new LanguageModelProgress(folder, value.Bytes, value.TotalBytes);
            if (Interlocked.Exchange(ref _percent, progress.Percent) != progress.Percent) told.Report(progress);
        }
    }
}
