using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Tensors;
using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Host.Client;

/// <summary>An answer of the protocol read back from a file: its outputs, and its receipt where it carries one.</summary>
/// <param name="Receipt">Null when the answer carries none.</param>
/// <param name="Outputs">The outputs that the answer holds.</param>
public sealed record SavedAnswer(Receipt? Receipt, KnownAnswer Outputs)
{
    /// <summary>Reads an answer as the host gave it: JSON, followed by the binary outputs where the request asked for them so.</summary>
    /// <exception cref="FormatException">Not such an answer; the message says what was wrong.</exception>
    public static SavedAnswer Read(ReadOnlyMemory<byte> bytes, string source)
    {
        try
        {
            var length = JsonPrefix.LengthOf(bytes.Span);
            using var document = JsonDocument.Parse(bytes[..length]);
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("outputs", out var outputs) || outputs.ValueKind != JsonValueKind.Array)
                throw new BadRequestException("it has no list of 'outputs'");
            return new SavedAnswer(ReceiptOf(document.RootElement), Read(outputs, new BinaryTail(bytes[length..])));
        }
        catch (JsonException e)
        {
            throw new FormatException($"answer '{source}': malformed JSON at line {e.LineNumber + 1}");
        }
        catch (Exception e) when (e is BadRequestException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new FormatException($"answer '{source}': {e.Message}");
        }
    }

    private static Receipt? ReceiptOf(JsonElement answer) =>
        answer.TryGetProperty("parameters", out var parameters) && parameters.ValueKind == JsonValueKind.Object && parameters.TryGetProperty("og_receipt", out var receipt)
            ? Receipt.Decode(receipt.GetBytesFromBase64())
            : null;

    private static KnownAnswer Read(JsonElement outputs, BinaryTail binary)
    {
        var tensors = new List<NamedTensor>();
        var gaps = new Dictionary<string, IReadOnlySet<int>>();
        foreach (var output in outputs.EnumerateArray())
        {
            var missing = new HashSet<int>();
            var tensor = Tensor(output, binary, missing);
            if (tensors.Any(other => other.Name == tensor.Name)) throw new BadRequestException($"output '{tensor.Name}' is there twice");
            tensors.Add(tensor);
            if (missing.Count > 0) gaps[tensor.Name] = missing;
        }

        return new KnownAnswer(tensors, gaps);
    }

    private static NamedTensor Tensor(JsonElement output, BinaryTail binary, HashSet<int> missing)
    {
        var name = output.GetProperty("name").GetString() ?? throw new BadRequestException("an output has no name");
        var datatype = output.GetProperty("datatype").GetString()!;
        var code = DataType.CodeOf(datatype) ?? throw new BadRequestException($"output '{name}': datatype '{datatype}' is not supported");
        long[] shape = [.. output.GetProperty("shape").EnumerateArray().Select(dimension => dimension.GetInt64())];
        if (shape.Any(dimension => dimension < 0)) throw new BadRequestException($"output '{name}' has a negative dimension");
        var size = TensorReader.ByteCount(name, code, shape);
        if (output.TryGetProperty("parameters", out var parameters) && parameters.TryGetProperty("binary_data_size", out var length))
        {
            if (length.GetInt64() != size) throw new BadRequestException($"output '{name}': its shape takes {size} bytes, binary_data_size is {length.GetInt64()}");
            return new NamedTensor(name, (ElementType)code, shape, binary.Take(size, name));
        }

        return new NamedTensor(name, (ElementType)code, shape, Data(output, name, code, checked((int)size), missing));
    }

    private static byte[] Data(JsonElement output, string name, byte code, int bytes, HashSet<int> missing)
    {
        var size = DataType.SizeOf(code);
        var elements = output.GetProperty("data");
        if (elements.GetArrayLength() != bytes / size) throw new BadRequestException($"output '{name}': data has {elements.GetArrayLength()} elements, its shape needs {bytes / size}");
        var data = new byte[bytes];
        var count = 0;
        foreach (var element in elements.EnumerateArray())
        {
            if (element.ValueKind == JsonValueKind.Null) missing.Add(count);
            else if (!TryWrite(element, code, data.AsSpan(count * size, size))) throw new BadRequestException($"output '{name}': element {count} is not of its datatype");
            count++;
        }

        return data;
    }

    private static bool TryWrite(JsonElement element, byte code, Span<byte> destination)
    {
        // The reader that takes requests apart takes answers apart too: one rule for how text becomes bits.
        var reader = new Utf8JsonReader(System.Text.Encoding.UTF8.GetBytes(element.GetRawText()));
        return reader.Read() && DataType.TryWriteElement(ref reader, code, destination);
    }
}

/// <summary>Where the JSON of a body ends that has binary tensors behind it; a saved body has lost the header that says so.</summary>
internal static class JsonPrefix
{
    /// <exception cref="JsonException">The bytes do not begin with a JSON value.</exception>
    public static int LengthOf(ReadOnlySpan<byte> bytes)
    {
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { AllowMultipleValues = true, MaxDepth = 64 });
        if (!reader.Read()) return bytes.Length;
        reader.Skip();
        var end = (int)reader.BytesConsumed;
        // White space at the end of a text file is no tensor.
        return bytes[end..].IndexOfAnyExcept(" \t\r\n"u8) < 0 ? bytes.Length : end;
    }
}
