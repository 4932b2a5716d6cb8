using System.Buffers;
using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Host.Protocol;

namespace OpenGradient.Engine.Hosting.Tests.Fuzz;

/// <summary>One tensor that a generated request holds.</summary>
internal sealed record SampleTensor(string Name, byte Code, long[] Shape, byte[] Data)
{
    public int Size => DataType.SizeOf(Code);
}

/// <summary>A body and the length of its JSON part.</summary>
internal sealed record SampleBody(byte[] Bytes, int JsonLength);

/// <summary>Makes valid requests and writes them in the many ways that JSON and the binary extension allow.</summary>
internal static class SampleRequests
{
    private static readonly string[] Names = ["x", "pixels", "input_ids", "", "ä", "名前", "\U0001F600", "a\"b\\c\n", new string('n', 200)];
    private static readonly byte[] Codes = [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13];

    public static SampleTensor[] Tensors(Random random) =>
        [.. Enumerable.Range(0, random.Next(1, 5)).Select(index => Tensor(random, $"{Names[random.Next(Names.Length)]}{index}"))];

    /// <param name="binary">By tensor: whether its bytes follow the JSON.</param>
    public static SampleBody Write(Random random, IReadOnlyList<SampleTensor> tensors, Func<int, bool> binary)
    {
        var json = new StringBuilder();
        // Asked once: the answer may be a die.
        bool[] isBinary = [.. tensors.Select((_, index) => binary(index))];
        Action[] parts =
        [
            () => Inputs(random, json, tensors, isBinary),
            () => json.Append("\"id\":").Append(Text(random, Names[random.Next(Names.Length)])),
            () => json.Append("\"outputs\":[{\"name\":").Append(Text(random, "y")).Append(random.Next(2) == 0 ? "}" : ",\"parameters\":{\"binary_data\":true}}").Append(']'),
            () => json.Append("\"parameters\":{\"og_release\":\"fast\",\"og_release_timeout_ms\":250,\"binary_data_output\":false}"),
        ];
        var chosen = parts.Where((_, index) => index == 0 || random.Next(3) == 0).ToArray();
        random.Shuffle(chosen);
        json.Append(Space(random)).Append('{');
        Joined(random, json, chosen);
        json.Append('}').Append(Space(random));

        var bytes = new List<byte>(Encoding.UTF8.GetBytes(json.ToString()));
        var length = bytes.Count;
        for (var i = 0; i < tensors.Count; i++)
            if (isBinary[i]) bytes.AddRange(tensors[i].Data);
        return new SampleBody([.. bytes], length);
    }

    private static SampleTensor Tensor(Random random, string name)
    {
        var code = Codes[random.Next(Codes.Length)];
        var shape = Enumerable.Range(0, random.Next(0, 5)).Select(_ => (long)random.Next(0, 20) switch { 0 => 0, < 12 => 1, var size => size - 10 }).ToArray();
        var size = DataType.SizeOf(code);
        var data = new byte[shape.Aggregate(1L, (product, dimension) => product * dimension) * size];
        for (var at = 0; at < data.Length; at += size) Element(random, code, data.AsSpan(at, size));
        return new SampleTensor(name, code, shape, data);
    }

    private static void Element(Random random, byte code, Span<byte> element)
    {
        do
        {
            if (random.Next(4) == 0) element.Fill((byte)(random.Next(2) * 255));
            else random.NextBytes(element);
            if (code == 9) element[0] &= 1;
        }
        while (!IsFinite(code, element));
    }

    private static bool IsFinite(byte code, ReadOnlySpan<byte> element) => code switch
    {
        1 => float.IsFinite(BitConverter.ToSingle(element)),
        10 => Half.IsFinite(BitConverter.ToHalf(element)),
        11 => double.IsFinite(BitConverter.ToDouble(element)),
        _ => true,
    };

    private static void Inputs(Random random, StringBuilder json, IReadOnlyList<SampleTensor> tensors, bool[] binary)
    {
        json.Append("\"inputs\":").Append(Space(random)).Append('[');
        for (var i = 0; i < tensors.Count; i++)
        {
            var tensor = tensors[i];
            var isBinary = binary[i];
            if (i > 0) json.Append(',');
            json.Append('{');
            Action[] parts =
            [
                () => json.Append("\"name\":").Append(Text(random, tensor.Name)),
                () => json.Append("\"datatype\":\"").Append(DataType.NameOf(tensor.Code)).Append('"'),
                () => json.Append("\"shape\":[").AppendJoin(',', tensor.Shape).Append(']'),
                () => Data(random, json, tensor, isBinary),
            ];
            random.Shuffle(parts);
            Joined(random, json, parts);
            json.Append('}');
        }

        json.Append(']');
    }

    private static void Data(Random random, StringBuilder json, SampleTensor tensor, bool binary)
    {
        if (binary)
        {
            json.Append("\"parameters\":{\"binary_data_size\":").Append(tensor.Data.Length).Append('}');
            return;
        }

        json.Append("\"data\":");
        var at = 0;
        if (random.Next(2) == 0) Nested(json, tensor, 0, ref at);
        else Flat(json, tensor);
    }

    private static void Flat(StringBuilder json, SampleTensor tensor)
    {
        json.Append('[');
        for (var at = 0; at < tensor.Data.Length; at += tensor.Size) json.Append(at > 0 ? "," : "").Append(Number(tensor, at));
        json.Append(']');
    }

    private static void Nested(StringBuilder json, SampleTensor tensor, int depth, ref int at)
    {
        if (tensor.Shape.Length == 0)
        {
            Flat(json, tensor);
            return;
        }

        json.Append('[');
        for (var i = 0; i < tensor.Shape[depth]; i++)
        {
            if (i > 0) json.Append(',');
            if (depth + 1 < tensor.Shape.Length)
            {
                Nested(json, tensor, depth + 1, ref at);
            }
            else
            {
                json.Append(Number(tensor, at));
                at += tensor.Size;
            }
        }

        json.Append(']');
    }

    private static string Number(SampleTensor tensor, int at)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true })) DataType.WriteElement(json, tensor.Code, tensor.Data.AsSpan(at, tensor.Size));
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void Joined(Random random, StringBuilder json, Action[] parts)
    {
        for (var i = 0; i < parts.Length; i++)
        {
            if (i > 0) json.Append(',').Append(Space(random));
            parts[i]();
        }
    }

    private static string Space(Random random) => random.Next(6) switch { 0 => " ", 1 => "\r\n\t", _ => "" };

    // Escaped as a whole, or as little as JSON allows.
    private static string Text(Random random, string text) => random.Next(2) == 0
        ? $"\"{string.Concat(text.Select(letter => $"\\u{(int)letter:x4}"))}\""
        : $"\"{JsonEncodedText.Encode(text, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
}
