using System.Globalization;
using System.Text;

namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>A tensor whose bytes are in another file (onnx.proto: TensorProto.external_data).</summary>
/// <param name="Name">As the model names it; empty for an attribute's.</param>
/// <param name="Location">The file, relative to the model's folder, without <c>.</c> and empty segments.</param>
/// <param name="Offset">Where its bytes begin in the file.</param>
/// <param name="Length">How many there are, by its type and dimensions.</param>
internal sealed record OnnxExternalTensor(string Name, string Location, long Offset, long Length)
{
    public const int DimsField = 1, TypeField = 2, NameField = 8, RawDataField = 9, ExternalDataField = 13, DataLocationField = 14;
    public const int DataLocationExternal = 1;
    private const int EntryKeyField = 1, EntryValueField = 2;

    // Longer than any path that Linux opens.
    private const int MaxLocationBytes = 4095;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Null for a tensor whose bytes are inside the model.</summary>
    /// <exception cref="OnnxFileException">What it says about its bytes is not usable.</exception>
    public static OnnxExternalTensor? Read(ReadOnlySpan<byte> tensor)
    {
        var name = "";
        var type = 0ul;
        var isExternal = false;
        var dims = new List<ulong>();
        Dictionary<string, string>? entries = null;
        var reader = new ProtoReader(tensor);
        while (reader.TryRead(out var field))
        {
            switch (field.Number)
            {
                case DimsField when field.IsMessage: ReadPacked(field.Payload, dims); break;
                case DimsField: dims.Add(field.Value); break;
                case TypeField: type = field.Value; break;
                case NameField: name = Encoding.UTF8.GetString(field.Payload); break;
                case DataLocationField: isExternal = field.Value == DataLocationExternal; break;
                case ExternalDataField: AddEntry(entries ??= [], field.Payload, name); break;
            }
        }

        if (entries is null && !isExternal) return null;
        if (entries is null || !entries.TryGetValue("location", out var location)) throw Bad(name, "keeps its data in another file, but names none");
        // A reader that goes by one sign and a reader that goes by the other would see two models.
        if (!isExternal) throw Bad(name, $"names the file '{location}' for its data, but says that its data is inside");
        var length = LengthOf(name, type, dims);
        if (Number(entries, "length", name) is { } said && said != length)
            throw Bad(name, $"takes {said} bytes of '{location}', but its type and dimensions need {length}");
        return new OnnxExternalTensor(name, Normal(location, name), Number(entries, "offset", name) ?? 0, length);
    }

    private static void ReadPacked(ReadOnlySpan<byte> payload, List<ulong> dims)
    {
        // A packed list is varints without keys: given a key each, the reader of fields reads them.
        Span<byte> keyed = stackalloc byte[11];
        keyed[0] = DimsField << 3;
        for (int at = 0, end; at < payload.Length; at = end)
        {
            for (end = at; end < payload.Length && (payload[end] & 0x80) != 0;) end++;
            end = Math.Min(end + 1, payload.Length);
            if (end - at >= keyed.Length) throw new OnnxFileException(ModelLoadReason.Corrupt, "a tensor's dimensions are malformed");
            payload[at..end].CopyTo(keyed[1..]);
            var reader = new ProtoReader(keyed[..(1 + end - at)]);
            if (reader.TryRead(out var field)) dims.Add(field.Value);
        }
    }

    private static void AddEntry(Dictionary<string, string> entries, ReadOnlySpan<byte> payload, string name)
    {
        string key = "", value = "";
        try
        {
            var reader = new ProtoReader(payload);
            while (reader.TryRead(out var field))
            {
                if (field.Number == EntryKeyField) key = StrictUtf8.GetString(field.Payload);
                if (field.Number == EntryValueField) value = StrictUtf8.GetString(field.Payload);
            }
        }
        catch (DecoderFallbackException)
        {
            throw Bad(name, "names its file in bytes that are not UTF-8");
        }

        if (!entries.TryAdd(key, value)) throw Bad(name, $"says '{key}' of its file twice");
    }

    private static long? Number(Dictionary<string, string> entries, string key, string name)
    {
        if (!entries.TryGetValue(key, out var text)) return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Bad(name, $"has the {key} '{text}', which is not a number of bytes");
    }

    private static long LengthOf(string name, ulong type, List<ulong> dims)
    {
        var bits = BitsOf(type) ?? throw Bad(name, $"keeps data of element type {type} in another file, which is not served");
        UInt128 elements = 1;
        foreach (var dim in dims)
        {
            elements *= dim;
            // Checked at each step: two dimensions cannot overflow 128 bits, many could.
            if (elements > long.MaxValue / 16) throw Bad(name, $"has the dimensions [{string.Join(',', dims.Select(d => (long)d))}], which no file holds");
        }

        return (long)(((elements * (uint)bits) + 7) / 8);
    }

    /// <summary>Bits per element, by TensorProto.DataType; null for text and unknown types.</summary>
    private static int? BitsOf(ulong type) => type switch
    {
        2 or 3 or 9 or (>= 17 and <= 20) or 24 => 8,
        4 or 5 or 10 or 16 => 16,
        1 or 6 or 12 => 32,
        7 or 11 or 13 or 14 => 64,
        15 => 128,
        21 or 22 or 23 => 4,
        _ => null,
    };

    /// <summary>The location without <c>.</c> and empty segments. Whether it leads out of the folder is checked here by its text, and by whoever opens it again.</summary>
    private static string Normal(string location, string name)
    {
        if (location.Length == 0 || Encoding.UTF8.GetByteCount(location) > MaxLocationBytes || location.Contains('\0', StringComparison.Ordinal))
            throw Bad(name, "names its file with an empty, endless or impossible path");
        if (location[0] == '/') throw Bad(name, $"keeps its data in '{location}', an absolute path; only files in the model's own folder are read");
        var segments = location.Split('/').Where(segment => segment.Length > 0 && segment != ".").ToArray();
        if (segments.Contains("..")) throw Bad(name, $"keeps its data in '{location}', which leads out of the model's own folder");
        if (segments.Length == 0) throw Bad(name, $"keeps its data in '{location}', which is not a file");
        return string.Join('/', segments);
    }

    private static OnnxFileException Bad(string name, string problem) => new(ModelLoadReason.ExternalData, $"tensor '{name}' {problem}");
}
