using System.Text;
using System.Text.Json;

namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>
/// Reads a safetensors header and believes nothing of it: every tensor's type and shape give its byte range, and the ranges
/// fill the data without gap or overlap. Hostile headers cost time and memory in proportion to their own size.
/// </summary>
public static class SafetensorsHeader
{
    /// <summary>The format's own limit.</summary>
    public const long MaxFormatBytes = 100_000_000;

    /// <summary>Most that is read. A tensor takes some 150 bytes, and the largest published files have a few thousand.</summary>
    public const int MaxBytes = 16 << 20;

    /// <summary>Models with hundreds of experts in one file have some 30,000.</summary>
    public const int MaxTensors = 65_536;

    /// <summary>Published names have some 60.</summary>
    public const int MaxNameBytes = 256;

    /// <summary>Weights have 1 or 2 dimensions, convolutions up to 5.</summary>
    public const int MaxRank = 8;

    private const string Metadata = "__metadata__";

    /// <summary>The tensors in the order of their data.</summary>
    /// <param name="json">The header's bytes.</param>
    /// <param name="dataBytes">How many bytes follow the header.</param>
    /// <param name="file">The file's name, for messages.</param>
    /// <exception cref="LanguageModelLoadException">The header breaks a rule; the message names file, tensor and byte range.</exception>
    public static IReadOnlyList<SafetensorsTensor> Parse(ReadOnlySpan<byte> json, long dataBytes, string file)
    {
        if (json.IsEmpty || json[0] != (byte)'{') throw new LanguageModelLoadException($"{file}: its header does not begin with '{{'");
        SafetensorsTensor[] tensors;
        try
        {
            tensors = [.. ReadTensors(json, file).OrderBy(tensor => tensor.Offset).ThenBy(tensor => tensor.Length)];
        }
        catch (JsonException error)
        {
            throw new LanguageModelLoadException($"{file}: its header is not JSON as the format has it (line {error.LineNumber}, byte {error.BytePositionInLine})", error);
        }
        catch (InvalidOperationException error)
        {
            throw new LanguageModelLoadException($"{file}: its header holds text that is not UTF-8", error);
        }

        RequireFilled(tensors, dataBytes, file);
        return tensors;
    }

    private static List<SafetensorsTensor> ReadTensors(ReadOnlySpan<byte> json, string file)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 3 });
        var tensors = new List<SafetensorsTensor>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = ReadName(ref reader, file);
            if (!names.Add(name)) throw new LanguageModelLoadException($"{file}: its header has {Quoted.Of(name)} twice");
            if (name == Metadata)
            {
                SkipMetadata(ref reader, file);
                continue;
            }

            if (tensors.Count == MaxTensors) throw new LanguageModelLoadException($"{file}: it has more than {MaxTensors} tensors");
            tensors.Add(ReadTensor(ref reader, name, file));
        }

        // Reads to the end: whatever follows the object but white space is an error of the reader's.
        while (reader.Read()) { }
        return tensors;
    }

    private static string ReadName(ref Utf8JsonReader reader, string file)
    {
        // An escaped letter takes six bytes, so this bounds the text before it is made.
        if (reader.ValueSpan.Length > 6 * MaxNameBytes) throw new LanguageModelLoadException($"{file}: a tensor's name is longer than {MaxNameBytes} bytes");
        var name = reader.GetString()!;
        if (Encoding.UTF8.GetByteCount(name) > MaxNameBytes) throw new LanguageModelLoadException($"{file}: a tensor's name is longer than {MaxNameBytes} bytes: {Quoted.Of(name)}");
        return name.Length > 0 ? name : throw new LanguageModelLoadException($"{file}: a tensor has no name");
    }

    private static void SkipMetadata(ref Utf8JsonReader reader, string file)
    {
        var isObject = reader.Read() && reader.TokenType == JsonTokenType.StartObject;
        while (isObject && reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            isObject = reader.Read() && reader.TokenType == JsonTokenType.String;
        if (!isObject) throw new LanguageModelLoadException($"{file}: {Metadata} is not an object of texts");
    }

    private static SafetensorsTensor ReadTensor(ref Utf8JsonReader reader, string name, string file)
    {
        LanguageModelLoadException Refused(string what) => new($"{file}: tensor {Quoted.Of(name)}: {what}");

        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw Refused("it is not described by an object");
        string? type = null;
        List<long>? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.ValueSpan.Length <= 16 ? reader.GetString()! : "…";
            var isRead = field switch
            {
                "dtype" => type is null && (type = ReadText(ref reader)) is not null,
                "shape" => shape is null && (shape = ReadNumbers(ref reader, MaxRank)) is not null,
                "data_offsets" => offsets is null && (offsets = ReadNumbers(ref reader, 2)) is { Count: 2 },
                _ => throw Refused($"it has a field {Quoted.Of(field)} that the format does not know"),
            };
            if (!isRead) throw Refused($"its {field} is malformed or there twice");
        }

        if (type is null || shape is null || offsets is null) throw Refused("it lacks one of dtype, shape and data_offsets");
        if (SafetensorsType.Bits(type) is not { } bits) throw Refused($"its type {Quoted.Of(type)} is none of the format's");
        if (offsets[0] > offsets[1]) throw Refused($"its bytes {offsets[0]} to {offsets[1]} run backwards");
        var length = offsets[1] - offsets[0];
        if (SafetensorsType.Bytes(bits, shape) is not { } needed) throw Refused($"its {type} [{string.Join(", ", shape)}] is no number of bytes that a file can hold");
        return needed == length
            ? new SafetensorsTensor(name, type, shape, offsets[0], length)
            : throw Refused($"its {type} [{string.Join(", ", shape)}] needs {needed} bytes, its range {offsets[0]} to {offsets[1]} has {length}");
    }

    private static string? ReadText(ref Utf8JsonReader reader) =>
        reader.Read() && reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length <= 64 ? reader.GetString() : null;

    /// <summary>Null for anything but an array of at most so many numbers, each whole and not negative.</summary>
    private static List<long>? ReadNumbers(ref Utf8JsonReader reader, int most)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray) return null;
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType == JsonTokenType.Number)
        {
            if (numbers.Count == most || !reader.TryGetInt64(out var number) || number < 0) return null;
            numbers.Add(number);
        }

        return reader.TokenType == JsonTokenType.EndArray ? numbers : null;
    }

    private static void RequireFilled(ReadOnlySpan<SafetensorsTensor> tensors, long dataBytes, string file)
    {
        long end = 0;
        SafetensorsTensor? before = null;
        foreach (var tensor in tensors)
        {
            var range = $"{tensor.Offset} to {tensor.Offset + tensor.Length}";
            if (tensor.Offset + tensor.Length > dataBytes)
                throw new LanguageModelLoadException($"{file}: tensor {Quoted.Of(tensor.Name)}: its bytes {range} are outside of the file's {dataBytes} bytes of data");
            if (tensor.Offset < end)
                throw new LanguageModelLoadException($"{file}: tensor {Quoted.Of(tensor.Name)}: its bytes {range} overlap those of {Quoted.Of(before!.Name)}, which end at {end}");
            if (tensor.Offset > end)
                throw new LanguageModelLoadException($"{file}: bytes {end} to {tensor.Offset} of its data, before tensor {Quoted.Of(tensor.Name)}, belong to no tensor");
            (end, before) = (tensor.Offset + tensor.Length, tensor);
        }

        if (end != dataBytes) throw new LanguageModelLoadException($"{file}: bytes {end} to {dataBytes} of its data, after the last tensor, belong to no tensor");
    }
}
