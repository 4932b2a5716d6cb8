using System.Text;
using OpenGradient.Engine.LanguageModels.Constraints;

namespace OpenGradient.Engine.LanguageModels.Tests.Constraints;

/// <summary>Every byte as a token, and tokens that cross the edges of JSON: parts of characters, runs of white space, several brackets, words.</summary>
internal static class TestVocabulary
{
    public const int SpecialToken = 256;

    private static readonly byte[][] Tokens = [.. Build()];

    public static TokenVocabulary Instance { get; } = new([.. Tokens.Select(token => (ReadOnlyMemory<byte>)token)]);

    public static int Count => Tokens.Length;

    public static byte[] BytesOf(int token) => Tokens[token];

    public static ITokenConstraintSource Compile(string schema) => JsonSchemaConstraint.Compile(Encoding.UTF8.GetBytes(schema), Instance);

    /// <summary>Whether a text, byte by byte, is accepted and may end.</summary>
    public static bool Accepts(string schema, string text) => Accepts(Compile(schema), Encoding.UTF8.GetBytes(text));

    public static bool Accepts(ITokenConstraintSource source, ReadOnlySpan<byte> text)
    {
        var constraint = source.Start();
        foreach (var value in text)
            if (!TryAdvance(constraint, value)) return false;
        return constraint.MayEnd;
    }

    public static bool TryAdvance(ITokenConstraint constraint, int token)
    {
        try
        {
            constraint.Advance(token);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    public static List<int> Allowed(ITokenConstraint constraint, out bool any)
    {
        var mask = new ulong[(Count + 63) / 64 + 1];
        mask.AsSpan().Fill(ulong.MaxValue);
        any = constraint.Allow(mask);
        Assert.Equal(0UL, mask[^1]);
        var tokens = new List<int>();
        for (var token = 0; token < Count; token++)
            if ((mask[token / 64] >> (token % 64) & 1) != 0) tokens.Add(token);
        return tokens;
    }

    private static IEnumerable<byte[]> Build()
    {
        for (var value = 0; value < 256; value++) yield return [(byte)value];
        yield return [];
        string[] texts =
        [
            "{\"", "\":", "\": ", "\": \"", "\",\"", "\", \"", "\"}", "\"]", "\"}]", "}}", "]]", "}]", "},{", "}, {", "[[", "[{", "[\"", "{}", "[]", "true", "false", "null", "tr", "ue", "alse",
            ",\"", ", \"", ":{", ":[", "1,", "1]", "1}", "10", "12", "00", "-1", "1.", ".5", "e1", "E-", "  ", "    ", "\n", "\n\n", "\t", " \n", " a", "name", "\"name\"", "\"name\":", "age", "\"a\"", "\"a\":1", "a\":",
            "hello", "the", " the", "é", "ü", "€", "日本", "😀", "\\\"", "\\n", "\\u", "\\u00", "\\ud83d", "\\ude00", "\\\\", "x\"", "x\"}", "x\", \"", "ab", "abc", "aaaa", "2026-", "-02-29", "T10:", "Z", "a1", "1a",
        ];
        foreach (var text in texts) yield return Encoding.UTF8.GetBytes(text);
        // Halves of characters, alone and beside whole ones.
        yield return [0xE2, 0x82];
        yield return [0x82, 0xAC];
        yield return [0xAC, (byte)'"'];
        yield return [0xF0, 0x9F];
        yield return [0xF0, 0x9F, 0x98];
        yield return [0x98, 0x80];
        yield return [(byte)'a', 0xC3];
        yield return [0xA9, (byte)'a'];
        yield return [0xED, 0xA0];
        yield return [0xC0, 0x80];
        // The same bytes twice: both are allowed where one is.
        yield return "true"u8.ToArray();
    }
}
