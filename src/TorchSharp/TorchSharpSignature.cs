using System.Globalization;
using System.IO.Compression;
using System.Text;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.TorchSharp;

/// <summary>
/// The inputs and outputs that an archive declares in its extra file <c>opengradient.signature</c> (native/include/og_torch.h,
/// "The signature"). TorchSharp does not give extra files out, so it is read from the zip archive itself.
/// </summary>
public sealed class TorchSharpSignature
{
    public const string FileName = "opengradient.signature";

    private const int MostBytes = 64 << 10, MostValues = 64, MostRank = 8, MostNameBytes = 127;

    // An archive has a file per storage and per class.
    private const int MostFiles = 65_535;

    private static readonly Dictionary<string, ElementType> Types = new(StringComparer.Ordinal)
    {
        ["float32"] = ElementType.Float32,
        ["uint8"] = ElementType.UInt8,
        ["int8"] = ElementType.Int8,
        ["int16"] = ElementType.Int16,
        ["int32"] = ElementType.Int32,
        ["int64"] = ElementType.Int64,
        ["bool"] = ElementType.Bool,
        ["float16"] = ElementType.Float16,
        ["float64"] = ElementType.Float64,
    };

    private TorchSharpSignature(IReadOnlyList<TensorSpec> inputs, IReadOnlyList<TensorSpec> outputs) => (Inputs, Outputs) = (inputs, outputs);

    public IReadOnlyList<TensorSpec> Inputs { get; }

    public IReadOnlyList<TensorSpec> Outputs { get; }

    /// <summary>Reads it from an archive in memory.</summary>
    /// <exception cref="ModelLoadException">The bytes are no zip archive, have no signature, or one that is malformed.</exception>
    public static unsafe TorchSharpSignature OfArchive(string modelName, ReadOnlyNativeMemory archive)
    {
        try
        {
            using var stream = new UnmanagedMemoryStream(archive.Pointer, archive.Length);
            using var zip = new ZipArchive(stream, ZipArchiveMode.Read);
            if (zip.Entries.Count > MostFiles) throw Bad(modelName, ModelLoadReason.Corrupt, $"has {zip.Entries.Count} files");
            // Everything is in one folder, of any name.
            var entry = zip.Entries.FirstOrDefault(each => each.FullName.EndsWith($"/extra/{FileName}", StringComparison.Ordinal) && each.FullName.Count(letter => letter == '/') == 2)
                ?? throw Bad(modelName, ModelLoadReason.Unsupported, $"has no signature; save it with the extra file '{FileName}', which names types and shapes of inputs and outputs");
            if (entry.Length > MostBytes) throw Bad(modelName, ModelLoadReason.Corrupt, $"has a signature of {entry.Length} bytes, more than {MostBytes}");
            using var content = entry.Open();
            var bytes = new byte[MostBytes + 1];
            var read = content.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (read > MostBytes) throw Bad(modelName, ModelLoadReason.Corrupt, $"has a signature of more than {MostBytes} bytes");
            return Parse(modelName, new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes.AsSpan(0, read)));
        }
        catch (Exception error) when (error is InvalidDataException or IOException or ArgumentException or NotSupportedException)
        {
            throw Bad(modelName, ModelLoadReason.Corrupt, $"is not a TorchScript archive, or a spoiled one: {error.Message}");
        }
    }

    /// <summary>Reads the text itself: a value per line, fields separated by one space.</summary>
    /// <exception cref="ModelLoadException">It is malformed; the message names the line.</exception>
    public static TorchSharpSignature Parse(string modelName, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (inputs, outputs) = (new List<TensorSpec>(), new List<TensorSpec>());
        var lines = (text.EndsWith('\n') ? text[..^1] : text).Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var fields = lines[i].Split(' ');
            var list = fields[0] switch { "input" => inputs, "output" => outputs, _ => null };
            var spec = list is null || fields.Length < 3 || list.Count == MostValues ? null : Value(fields);
            if (spec is null || list!.Any(other => other.Name == spec.Name)) throw Bad(modelName, ModelLoadReason.Corrupt, $"has a malformed signature, line {i + 1}");
            list!.Add(spec);
        }

        if (inputs.Count == 0 || outputs.Count == 0) throw Bad(modelName, ModelLoadReason.Unsupported, "declares no inputs, or no outputs");
        return new TorchSharpSignature(inputs, outputs);
    }

    /// <summary>Null where a field is malformed.</summary>
    private static TensorSpec? Value(string[] fields)
    {
        var name = fields[1];
        if (Encoding.UTF8.GetByteCount(name) is 0 or > MostNameBytes || name.Any(char.IsControl)) return null;
        if (!Types.TryGetValue(fields[2], out var type) || fields.Length - 3 > MostRank) return null;
        var dimensions = new long[fields.Length - 3];
        var symbols = new string?[dimensions.Length];
        for (var i = 0; i < dimensions.Length; i++)
        {
            var field = fields[i + 3];
            if (field.StartsWith('?')) (dimensions[i], symbols[i]) = (-1, field.Length > 1 ? field[1..] : null);
            else if (!long.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out dimensions[i])) return null;
        }

        try
        {
            return new TensorSpec(name, type, dimensions, symbols);
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    private static ModelLoadException Bad(string modelName, ModelLoadReason reason, string what) => new(reason, $"model '{modelName}' {what}");
}
