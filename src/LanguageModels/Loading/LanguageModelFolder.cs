namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>Opens a model folder, whichever layout it has.</summary>
public static class LanguageModelFolder
{
    /// <summary>
    /// Loads on another thread. <c>genai_config.json</c> makes it a folder of ONNX Runtime GenAI's layout; otherwise
    /// <c>config.json</c> and <c>*.safetensors</c> one of Hugging Face's. The runtime in the parts is the caller's to dispose.
    /// </summary>
    /// <exception cref="LanguageModelLoadException">The folder is not a model that can be served; the message names file, tensor or field.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing stays in memory.</exception>
    public static Task<LanguageModelParts> OpenAsync(string path, LanguageModelLoadOptions options, CancellationToken cancellation)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(options);
        return Task.Run(() => new FolderOpening(path, options, cancellation).Open(), cancellation);
    }
}

/// <summary>How linear layers are held.</summary>
public enum WeightScheme
{
    /// <summary>As precise as published weights are.</summary>
    Bf16,

    /// <summary>8 bits and a scale per 32 inputs.</summary>
    Int8,

    /// <summary>4 bits and a scale per 32 inputs.</summary>
    Int4,
}

public sealed record LanguageModelLoadOptions
{
    /// <summary>Null: what the folder says of itself, else its name.</summary>
    public string? Name { get; init; }

    public string? Version { get; init; }

    /// <summary>Null: what the folder says of itself, else bf16.</summary>
    public WeightScheme? Scheme { get; init; }

    /// <summary>Threads of a step. Default null: one per core.</summary>
    public int? Threads { get; init; }

    /// <summary>Most bytes of keys and values. Default 512 MiB.</summary>
    public long CacheBytes { get; init; } = 512L << 20;

    /// <summary>Shortens the model's own context; null keeps it.</summary>
    public int? ContextLength { get; init; }

    /// <summary>Most sequences in one step. Default 32: beyond it a step of small models gains little more.</summary>
    public int MaxSequences { get; init; } = 32;

    /// <summary><c>scalar</c>, <c>avx2</c>, <c>avx512</c>, <c>amx</c>; null takes the best that the machine has.</summary>
    public string? InstructionSet { get; init; }

    /// <summary>Path of libog_kernels.so; null looks beside the application and in the build folder.</summary>
    public string? KernelsLibrary { get; init; }

    /// <summary>Path of ONNX Runtime's library, for GenAI folders; null looks in the engine's places.</summary>
    public string? OnnxRuntimeLibrary { get; init; }

    public IProgress<LoadProgress>? Progress { get; init; }
}

/// <param name="Bytes">Of the weights, read and packed so far.</param>
public readonly record struct LoadProgress(long Bytes, long TotalBytes);

/// <summary>A model folder that cannot be served. The message names file, tensor or field.</summary>
public sealed class LanguageModelLoadException : Exception
{
    public LanguageModelLoadException(string message) : base(message) { }

    public LanguageModelLoadException() { }

    public LanguageModelLoadException(string message, Exception innerException) : base(message, innerException) { }
}
