using OpenGradient.Engine.LanguageModels.Loading;

namespace OpenGradient.Engine.Hosting.Configuration;

/// <summary>A language model and how it is served (docs/language-models.md). Defaults are those of the room; docs/configuration.md says why.</summary>
public sealed record LanguageModelConfiguration
{
    /// <summary>A folder with safetensors files and <c>config.json</c>, or one in ONNX Runtime GenAI's layout.</summary>
    public string Path { get; init; } = "";

    /// <summary>Null: what the folder says of itself, else its name.</summary>
    public string? Name { get; init; }
    public string? Version { get; init; }

    /// <summary><c>bf16</c>, <c>int8</c> or <c>int4</c>; null: what the folder says of itself, else bf16. Part of the model's identity.</summary>
    public string? Scheme { get; init; }

    /// <summary>Threads of a step; null for one per core.</summary>
    public int? Threads { get; init; }

    /// <summary>Hard bound of the memory for keys and values.</summary>
    public int CacheMiB { get; init; } = 512;

    /// <summary>Shortens the model's own context; null keeps it.</summary>
    public int? ContextLength { get; init; }

    /// <summary>Most sequences in one step.</summary>
    public int MaxSequences { get; init; } = 32;

    /// <summary>Requests that may wait; more are refused with advice.</summary>
    public int MaxQueued { get; init; } = 1024;

    /// <summary>Part of <see cref="MaxQueued"/> that one caller (API key) may hold.</summary>
    public double CallerShare { get; init; } = 0.5;

    /// <summary>Most prompt tokens in one step.</summary>
    public int PrefillTokensPerStep { get; init; } = 256;

    /// <summary>Whether prompts that begin alike share their cache.</summary>
    public bool ReusePrefixes { get; init; } = true;

    /// <summary>Whether the prompts of different callers share it, too; see docs/language-models.md, "What callers share".</summary>
    public bool SharePrefixesAcrossCallers { get; init; } = true;

    /// <summary>While streaming, a signed head after so many tokens.</summary>
    public int HeadEveryTokens { get; init; } = 64;

    /// <summary>While streaming, a signed head at least so often.</summary>
    public double HeadEveryMs { get; init; } = 1000;

    internal WeightScheme? ParsedScheme => Scheme switch
    {
        "bf16" => WeightScheme.Bf16,
        "int8" => WeightScheme.Int8,
        "int4" => WeightScheme.Int4,
        _ => null,
    };

    internal static void Check(HostConfiguration configuration, List<string> errors)
    {
        if (configuration.Kernels.InstructionSet is not (null or "scalar" or "avx2" or "avx512" or "amx"))
            errors.Add($"kernels.instructionSet: '{configuration.Kernels.InstructionSet}' is none of scalar, avx2, avx512, amx; null takes the best that the machine has");
        for (var i = 0; i < configuration.LanguageModels.Count; i++) Check(configuration.LanguageModels[i], $"languageModels[{i}]", errors);
        var names = configuration.LanguageModels.Select(model => model.Name).OfType<string>().ToArray();
        foreach (var name in names.Where((name, index) => Array.IndexOf(names, name) < index).Distinct())
            errors.Add($"languageModels: '{name}' is the name of several; callers name a model by its name alone");
    }

    private static void Check(LanguageModelConfiguration model, string key, List<string> errors)
    {
        if (model.Path.Length == 0) errors.Add($"{key}.path: a folder is needed");
        if (model.Name is { } name && (name.Length is 0 or > 256 || name.Any(char.IsControl))) errors.Add($"{key}.name: 1 to 256 characters, none of them a control character");
        if (model.Version is { Length: 0 or > 64 }) errors.Add($"{key}.version: 1 to 64 characters");
        if (model.Scheme is not null && model.ParsedScheme is null) errors.Add($"{key}.scheme: '{model.Scheme}' is none of bf16, int8, int4");
        if (model.Threads is < 1 or > 256) errors.Add($"{key}.threads: between 1 and 256");
        if (model.CacheMiB is < 1 or > 1 << 20) errors.Add($"{key}.cacheMiB: between 1 and 1,048,576");
        if (model.ContextLength is < 2 or > 1 << 24) errors.Add($"{key}.contextLength: between 2 and 16,777,216");
        if (model.MaxSequences is < 1 or > 1024) errors.Add($"{key}.maxSequences: between 1 and 1,024");
        if (model.MaxQueued is < 1 or > 1_000_000) errors.Add($"{key}.maxQueued: between 1 and 1,000,000");
        if (model.CallerShare is not (> 0 and <= 1)) errors.Add($"{key}.callerShare: above 0, to 1");
        if (model.PrefillTokensPerStep is < 1 or > 1 << 20) errors.Add($"{key}.prefillTokensPerStep: between 1 and 1,048,576");
        if (model.HeadEveryTokens is < 1 or > 1 << 20) errors.Add($"{key}.headEveryTokens: between 1 and 1,048,576");
        if (model.HeadEveryMs is not (>= 10 and <= 3_600_000)) errors.Add($"{key}.headEveryMs: between 10 and 3,600,000");
    }
}

/// <summary>The library of language-model kernels.</summary>
public sealed record KernelsConfiguration
{
    /// <summary>Path of libog_kernels.so; null looks in the documented places.</summary>
    public string? Library { get; init; }

    /// <summary><c>scalar</c>, <c>avx2</c>, <c>avx512</c>, <c>amx</c>; null takes the best that the machine has.</summary>
    public string? InstructionSet { get; init; }
}
