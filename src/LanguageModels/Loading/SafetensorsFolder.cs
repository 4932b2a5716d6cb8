namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>A tensor and the file that holds it.</summary>
public readonly record struct StoredTensor(SafetensorsFile File, SafetensorsTensor Tensor);

/// <summary>The tensors of a folder: of <c>model.safetensors</c>, or of the shards that <c>model.safetensors.index.json</c> names.</summary>
public sealed class SafetensorsFolder : IDisposable
{
    public const string SingleFile = "model.safetensors";

    private readonly IReadOnlyList<SafetensorsFile> _files;

    private SafetensorsFolder(IReadOnlyList<SafetensorsFile> files, IReadOnlyDictionary<string, StoredTensor> tensors)
    {
        _files = files;
        Tensors = tensors;
    }

    public IReadOnlyDictionary<string, StoredTensor> Tensors { get; }

    /// <summary>Whether the folder has weights of this format at all.</summary>
    public static bool IsThere(string folder) =>
        File.Exists(Path.Combine(folder, SingleFile)) || File.Exists(Path.Combine(folder, ShardIndex.FileName));

    /// <summary>Opens every file, checks every header, and holds them against the index.</summary>
    /// <exception cref="LanguageModelLoadException">A header breaks a rule, a shard is missing, or shards and index disagree about a tensor.</exception>
    public static SafetensorsFolder Open(string folder)
    {
        var files = new List<SafetensorsFile>();
        try
        {
            var index = ShardIndex.ReadIfThere(folder);
            if (index is null) files.Add(SafetensorsFile.Open(folder, SingleFile));
            else OpenShards(folder, index, files);
            return new SafetensorsFolder(files, Collect(files, index));
        }
        catch
        {
            foreach (var file in files) file.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var file in _files) file.Dispose();
    }

    private static void OpenShards(string folder, ShardIndex index, List<SafetensorsFile> files)
    {
        // Two sets of weights in one folder: which one was meant cannot be known.
        if (!index.Files.Contains(SingleFile) && File.Exists(Path.Combine(folder, SingleFile)))
            throw new LanguageModelLoadException($"the folder has {SingleFile} and {ShardIndex.FileName}, which does not name it");
        foreach (var name in index.Files)
        {
            if (!File.Exists(Path.Combine(folder, name)))
                throw new LanguageModelLoadException($"{ShardIndex.FileName} names {Quoted.Of(name)}, which is missing");
            files.Add(SafetensorsFile.Open(folder, name));
        }
    }

    private static Dictionary<string, StoredTensor> Collect(List<SafetensorsFile> files, ShardIndex? index)
    {
        var tensors = new Dictionary<string, StoredTensor>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            foreach (var tensor in file.Tensors)
            {
                if (tensors.TryGetValue(tensor.Name, out var other))
                    throw new LanguageModelLoadException($"tensor {Quoted.Of(tensor.Name)} is in {other.File.Name} and in {file.Name}");
                if (index is not null && !index.FileOf.ContainsKey(tensor.Name))
                    throw new LanguageModelLoadException($"{file.Name}: tensor {Quoted.Of(tensor.Name)} is not in {ShardIndex.FileName}");
                if (index is not null && index.FileOf[tensor.Name] != file.Name)
                    throw new LanguageModelLoadException($"tensor {Quoted.Of(tensor.Name)} is in {file.Name}, but {ShardIndex.FileName} has it in {index.FileOf[tensor.Name]}");
                tensors.Add(tensor.Name, new StoredTensor(file, tensor));
            }
        }

        if (index?.FileOf.FirstOrDefault(entry => !tensors.ContainsKey(entry.Key)) is { Key: not null } missing)
            throw new LanguageModelLoadException($"{ShardIndex.FileName} has tensor {Quoted.Of(missing.Key)} in {missing.Value}, which does not hold it");
        return tensors;
    }
}
