using System.Text;

namespace OpenGradient.Engine.Hosting.Tests.Fuzz;

/// <summary>Spoils a request: by the byte, by the token, and in what the header says about it.</summary>
internal static class Mutation
{
    private static readonly byte[][] Tokens =
    [
        .. new[]
        {
            "{", "}", "[", "]", ",", ":", "\"", "\\", "null", "true", "false", "NaN", "Infinity", "-", "0", "-0", "1", "-1", "1.0", "1e2", "00", "1.", "+1", "0x1",
            "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616", "4611686018427387904", "2147483648", "-9223372036854775809",
            "1e39", "1e309", "-1e309", "1e-400", "65504", "65519.9", "65520", "0.1", "2049.0000001", "1e99999999999", "3.4028235677973366e38",
            "\"inputs\"", "\"outputs\"", "\"parameters\"", "\"id\"", "\"name\"", "\"shape\"", "\"datatype\"", "\"data\"", "\"binary_data_size\"", "\"binary_data\"",
            "\"binary_data_output\"", "\"og_release\"", "\"og_release_timeout_ms\"", "\"x\"", "\"FP32\"", "\"FP16\"", "\"BOOL\"", "\"INT64\"", "\"BYTES\"", "\"fp32\"",
            "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\u0000\"", "\"\\x\"", "\"\t\"", "[]", "{}", "[[[]]]", "\"id\":1,", "\"shape\":[1],", "\"data\":[0],", "//c\n", "/**/", " ", "\n",
            "\"parameters\":{\"x\":{\"binary_data\":true}},", "{\"og_release\":\"final\"}",
        }.Select(Encoding.UTF8.GetBytes),
        [0xef, 0xbb, 0xbf], [0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82], [0],
        Encoding.UTF8.GetBytes(new string('[', 40)), Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"a\":", 40))), Encoding.UTF8.GetBytes(new string('9', 400)),
    ];

    public static SampleBody Of(Random random, SampleBody body)
    {
        var json = body.Bytes.AsSpan(0, body.JsonLength).ToArray().ToList();
        var tail = body.Bytes.AsSpan(body.JsonLength).ToArray().ToList();
        for (var changes = random.Next(1, 4); changes > 0; changes--) Change(random, random.Next(8) == 0 ? tail : json);
        byte[] bytes = [.. json, .. tail];
        if (random.Next(12) == 0) bytes = bytes[..random.Next(bytes.Length + 1)];
        var length = random.Next(12) switch
        {
            0 => random.Next(-1, bytes.Length + 2),
            1 => bytes.Length,
            _ => Math.Min(json.Count, bytes.Length),
        };
        return new SampleBody(bytes, length);
    }

    private static void Change(Random random, List<byte> bytes)
    {
        var (start, length) = Token(random, bytes);
        var other = Token(random, bytes);
        var token = Tokens[random.Next(Tokens.Length)];
        switch (random.Next(7))
        {
            case 0: bytes.InsertRange(start, token); break;
            case 1: bytes.RemoveRange(start, length); break;
            case 2:
                bytes.RemoveRange(start, length);
                bytes.InsertRange(start, token);
                break;
            case 3: bytes.InsertRange(start, bytes.GetRange(other.Start, other.Length)); break;
            case 4:
                var copy = bytes.GetRange(other.Start, other.Length);
                bytes.RemoveRange(start, length);
                bytes.InsertRange(start, copy);
                break;
            case 5 when bytes.Count > 0: bytes[random.Next(bytes.Count)] = (byte)random.Next(256); break;
            case 6 when bytes.Count > 0: bytes[random.Next(bytes.Count)] ^= (byte)(1 << random.Next(8)); break;
            default: bytes.AddRange(token); break;
        }
    }

    /// <summary>A token, or now and then everything from one to the end of another: whole values move, and whole properties come twice.</summary>
    private static (int Start, int Length) Token(Random random, List<byte> bytes)
    {
        if (bytes.Count == 0) return (0, 0);
        var start = random.Next(bytes.Count);
        while (start > 0 && !IsEdge(bytes[start - 1])) start--;
        var end = start + 1;
        for (var more = random.Next(4) == 0 ? random.Next(1, 12) : 1; more > 0 && end < bytes.Count; more--)
        {
            end++;
            while (end < bytes.Count && !IsEdge(bytes[end - 1])) end++;
        }

        return (start, Math.Min(end, bytes.Count) - start);
    }

    private static bool IsEdge(byte letter) => letter is (byte)',' or (byte)':' or (byte)'[' or (byte)']' or (byte)'{' or (byte)'}';
}
