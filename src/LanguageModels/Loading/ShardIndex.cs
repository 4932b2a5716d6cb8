using System.Text.Json;

namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary><c>model.safetensors.index.json</c>: which shard holds which tensor.</summary>
internal sealed class ShardIndex
{
    public const string FileName = "model.safetensors.index.json";

    // The largest published models have some 90,000 tensors, 100 bytes each, in some 160 shards, all of which are held open.
    private const int MaxBytes = 16 << 20, MaxFiles = 512;

    private ShardIndex(IReadOnlyDictionary<string, string> fileOf)
    {
        FileOf = fileOf;
        Files = [.. fileOf.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    public IReadOnlyDictionary<string, string> FileOf { get; }

    /// <summary>The shards, ordered by name.</summary>
    public IReadOnlyList<string> Files { get; }

    public static ShardIndex? ReadIfThere(string folder)
    {
        var bytes = FolderFile.ReadIfThere(folder, FileName, MaxBytes);
        return bytes is null ? null : Parse(bytes);
    }

    private static ShardIndex Parse(byte[] bytes)
    {
        using var document = JsonFields.Parse(bytes, FileName, out var fields);
        try
        {
            return Read(fields);
        }
        catch (InvalidOperationException error)
        {
            throw new LanguageModelLoadException($"{FileName}: weight_map holds text that is not UTF-8", error);
        }
    }

    private static ShardIndex Read(JsonFields fields)
    {
        var map = fields.Object("weight_map") ?? throw fields.Refused("it has no weight_map");
        var fileOf = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in map.Entries)
        {
            var file = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : "";
            if (!IsPlainName(file)) throw fields.Refused($"weight_map has tensor {Quoted.Of(entry.Name)} in {Quoted.Of(file)}, which is not the name of a .safetensors file in the folder");
            fileOf.Add(entry.Name, file);
        }

        if (fileOf.Count == 0) throw fields.Refused("weight_map is empty");
        var index = new ShardIndex(fileOf);
        return index.Files.Count <= MaxFiles ? index : throw fields.Refused($"weight_map names {index.Files.Count} files, more than {MaxFiles}");
    }

    private static bool IsPlainName(string file) =>
        file.Length <= 255 && file.EndsWith(".safetensors", StringComparison.Ordinal) && file.AsSpan().IndexOfAny('/', '\\', '\0') < 0;
}
