using System.Globalization;
using System.Text.Json;
using OpenGradient.Engine.Host.Protocol;

namespace OpenGradient.Engine.Hosting.Tests.Fuzz;

/// <summary>
/// The same request read another way: System.Text.Json's document, its own numbers, and the protocol's rules written down a second
/// time, as plainly as they go. Null where the request is not one.
/// </summary>
internal static class Reading
{
    // Refuses a document that is deeper or that gives a property twice, as the host does.
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 32, AllowDuplicateProperties = false };

    public static SampleTensor[]? Of(SampleBody body)
    {
        if (body.JsonLength < 0 || body.JsonLength > body.Bytes.Length) return null;
        try
        {
            using var document = JsonDocument.Parse(body.Bytes.AsMemory(0, body.JsonLength), Options);
            return Request(document.RootElement, body.Bytes.AsSpan(body.JsonLength));
        }
        catch (JsonException)
        {
            return null;
        }
        catch (InvalidOperationException)
        {
            // A text that is not UTF-8, or half a character.
            return null;
        }
    }

    private static SampleTensor[]? Request(JsonElement request, ReadOnlySpan<byte> tail)
    {
        if (!IsObject(request, ["id", "inputs", "outputs", "parameters"])) return null;
        if (request.TryGetProperty("id", out var id) && !IsText(id)) return null;
        if (request.TryGetProperty("parameters", out var parameters) && !AreParameters(parameters)) return null;
        if (request.TryGetProperty("outputs", out var outputs) && !AreOutputs(outputs)) return null;
        if (!request.TryGetProperty("inputs", out var inputs) || inputs.ValueKind != JsonValueKind.Array || inputs.GetArrayLength() is 0 or > 256) return null;
        var tensors = new List<SampleTensor>();
        foreach (var input in inputs.EnumerateArray())
        {
            if (Tensor(input, ref tail) is not { } tensor) return null;
            tensors.Add(tensor);
        }

        return tail.IsEmpty ? [.. tensors] : null;
    }

    private static SampleTensor? Tensor(JsonElement input, ref ReadOnlySpan<byte> tail)
    {
        if (!IsObject(input, ["name", "datatype", "shape", "parameters", "data"])) return null;
        if (!input.TryGetProperty("name", out var name) || !IsText(name) || !input.TryGetProperty("datatype", out var type) || !IsText(type)) return null;
        if (DataType.CodeOf(type.GetString()!) is not { } code || !input.TryGetProperty("shape", out var shape) || Shape(shape) is not { } sizes) return null;
        decimal bytes = DataType.SizeOf(code);
        foreach (var size in sizes)
        {
            bytes *= size;
            if (bytes > int.MaxValue) return null;
        }

        var announced = default(JsonElement);
        if (input.TryGetProperty("parameters", out var parameters) && !IsObject(parameters, ["binary_data_size"])) return null;
        var isBinary = parameters.ValueKind == JsonValueKind.Object && parameters.TryGetProperty("binary_data_size", out announced);
        var hasData = input.TryGetProperty("data", out var data);
        if (isBinary == hasData) return null;
        if (!isBinary) return Elements(data, code, (int)bytes) is { } read ? new SampleTensor(name.GetString()!, code, sizes, read) : null;
        if (announced.ValueKind != JsonValueKind.Number || !announced.TryGetInt64(out var length) || length != bytes || length > tail.Length) return null;
        var taken = tail[..(int)length].ToArray();
        tail = tail[(int)length..];
        return new SampleTensor(name.GetString()!, code, sizes, taken);
    }

    private static long[]? Shape(JsonElement shape)
    {
        if (shape.ValueKind != JsonValueKind.Array || shape.GetArrayLength() > 16) return null;
        var sizes = new List<long>();
        foreach (var item in shape.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out var size) || size < 0) return null;
            sizes.Add(size);
        }

        return [.. sizes];
    }

    private static byte[]? Elements(JsonElement data, byte code, int bytes)
    {
        if (data.ValueKind != JsonValueKind.Array) return null;
        var written = new List<byte>();
        return Append(data) && written.Count == bytes ? [.. written] : null;

        bool Append(JsonElement from)
        {
            foreach (var item in from.EnumerateArray())
            {
                if (item.ValueKind == JsonValueKind.Array)
                {
                    if (!Append(item)) return false;
                }
                else if (Element(item, code) is { } element)
                {
                    written.AddRange(element);
                }
                else
                {
                    return false;
                }
            }

            return true;
        }
    }

    private static byte[]? Element(JsonElement item, byte code)
    {
        if (code == 9) return item.ValueKind switch { JsonValueKind.True => [1], JsonValueKind.False => [0], _ => null };
        if (item.ValueKind != JsonValueKind.Number) return null;
        return code switch
        {
            1 => item.TryGetSingle(out var value) && float.IsFinite(value) ? BitConverter.GetBytes(value) : null,
            2 => item.TryGetByte(out var value) ? [value] : null,
            3 => item.TryGetSByte(out var value) ? [(byte)value] : null,
            4 => item.TryGetUInt16(out var value) ? BitConverter.GetBytes(value) : null,
            5 => item.TryGetInt16(out var value) ? BitConverter.GetBytes(value) : null,
            6 => item.TryGetInt32(out var value) ? BitConverter.GetBytes(value) : null,
            7 => item.TryGetInt64(out var value) ? BitConverter.GetBytes(value) : null,
            10 => Half.TryParse(item.GetRawText(), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && Half.IsFinite(value) ? BitConverter.GetBytes(value) : null,
            11 => item.TryGetDouble(out var value) && double.IsFinite(value) ? BitConverter.GetBytes(value) : null,
            12 => item.TryGetUInt32(out var value) ? BitConverter.GetBytes(value) : null,
            _ => item.TryGetUInt64(out var value) ? BitConverter.GetBytes(value) : null,
        };
    }

    private static bool AreParameters(JsonElement parameters) =>
        IsObject(parameters, ["og_release", "og_release_timeout_ms", "binary_data_output"])
        && (!parameters.TryGetProperty("og_release", out var release) || IsText(release))
        && (!parameters.TryGetProperty("og_release_timeout_ms", out var timeout) || (timeout.ValueKind == JsonValueKind.Number && timeout.TryGetInt64(out var limit) && limit >= 0))
        && (!parameters.TryGetProperty("binary_data_output", out var flag) || IsFlag(flag));

    private static bool AreOutputs(JsonElement outputs)
    {
        if (outputs.ValueKind != JsonValueKind.Array || outputs.GetArrayLength() > 256) return false;
        var names = new HashSet<string>();
        foreach (var output in outputs.EnumerateArray())
        {
            if (!IsObject(output, ["name", "parameters"]) || !output.TryGetProperty("name", out var name) || !IsText(name) || !names.Add(name.GetString()!)) return false;
            if (output.TryGetProperty("parameters", out var parameters) && !(IsObject(parameters, ["binary_data"]) && parameters.EnumerateObject().All(flag => IsFlag(flag.Value)))) return false;
        }

        return true;
    }

    private static bool IsObject(JsonElement element, string[] known) =>
        element.ValueKind == JsonValueKind.Object && element.EnumerateObject().All(property => known.Contains(property.Name));

    // Reading the text is what finds that it is none.
    private static bool IsText(JsonElement element) => element.ValueKind == JsonValueKind.String && element.GetString() is not null;

    private static bool IsFlag(JsonElement element) => element.ValueKind is JsonValueKind.True or JsonValueKind.False;
}
