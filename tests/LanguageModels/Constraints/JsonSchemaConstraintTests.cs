using System.Text;
using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Constraints;

namespace OpenGradient.Engine.LanguageModels.Tests.Constraints;

public sealed class JsonSchemaConstraintTests
{
    public static TheoryData<string> Names => [.. SampleSchemas.All.Select(sample => sample.Name)];

    [Theory, MemberData(nameof(Names))]
    public void RandomWalk_ThroughTheMasks_EndsInAValidDocument(string name)
    {
        var schema = SchemaOf(name);
        var source = TestVocabulary.Compile(schema);
        using var parsed = JsonDocument.Parse(schema);
        var validator = new SchemaValidator(parsed.RootElement);

        for (var seed = 0; seed < 60; seed++)
        {
            var text = Walk(source, new Random(seed), 10 + (seed * 3));
            try
            {
                using var document = JsonDocument.Parse(text);
                Assert.True(validator.IsValid(document.RootElement), $"seed {seed}: {Encoding.UTF8.GetString(text)}");
            }
            catch (JsonException error)
            {
                Assert.Fail($"seed {seed}: {Encoding.UTF8.GetString(text)}: {error.Message}");
            }
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void GeneratedDocument_Valid_IsAccepted(string name)
    {
        var schema = SchemaOf(name);
        var source = TestVocabulary.Compile(schema);
        using var parsed = JsonDocument.Parse(schema);
        for (var seed = 0; seed < 200; seed++)
        {
            if (new DocumentGenerator(parsed.RootElement, new Random(seed)).Make() is not { } text) continue;
            Assert.True(TestVocabulary.Accepts(source, Encoding.UTF8.GetBytes(text)), $"seed {seed}: {text}");
        }
    }

    /// <summary>Masks are kept and shared between positions that are alike; what they say is what advancing says.</summary>
    [Theory, MemberData(nameof(Names))]
    public void Mask_AtEveryStep_IsWhatAdvancingAccepts(string name)
    {
        var schema = SchemaOf(name);
        var source = TestVocabulary.Compile(schema);
        for (var seed = 0; seed < 2; seed++)
        {
            var random = new Random(seed);
            var tokens = new List<int>();
            for (var step = 0; step < 25; step++)
            {
                var constraint = Replay(source, tokens);
                var allowed = TestVocabulary.Allowed(constraint, out var any);
                Assert.Equal(allowed.Count > 0 || constraint.MayEnd, any);
                var accepted = Enumerable.Range(0, TestVocabulary.Count)
                    .Where(token => token != TestVocabulary.SpecialToken && TestVocabulary.TryAdvance(Replay(source, tokens), token));
                Assert.Equal(accepted, allowed);
                if (allowed.Count == 0) break;
                tokens.Add(allowed[random.Next(allowed.Count)]);
            }
        }
    }

    [Fact]
    public void Walk_OfAnUnboundedValue_NeverNestsDeeperThanReadersTake()
    {
        var source = TestVocabulary.Compile("""{"type":"array"}""");
        var constraint = source.Start();
        for (var depth = 0; depth < 64; depth++) Assert.True(TestVocabulary.TryAdvance(constraint, '['));

        Assert.False(TestVocabulary.TryAdvance(constraint, '['));
        Assert.DoesNotContain((int)'{', TestVocabulary.Allowed(constraint, out _));
        for (var depth = 0; depth < 64; depth++) constraint.Advance(']');
        Assert.True(constraint.IsComplete);
    }

    [Theory]
    [InlineData("""{"type":"integer","minimum":-17,"maximum":2048}""", "-17 -1 0 9 10 2048 1999 100", "-18 2049 -0 00 1.0 1e2 +1 - 10000")]
    [InlineData("""{"type":"integer","minimum":95,"maximum":1203}""", "95 99 100 999 1000 1199 1200 1203", "94 9 1204 2000 12 1")]
    [InlineData("""{"type":"integer","minimum":2.5,"maximum":4.5}""", "3 4", "2 5 -3")]
    [InlineData("""{"type":"integer","exclusiveMinimum":3,"exclusiveMaximum":5}""", "4", "3 5")]
    [InlineData("""{"type":"integer","minimum":-1e2}""", "-100 9223372036854775807 0", "-101 92233720368547758080")]
    [InlineData("""{"type":"integer","minimum":100000000000000000000}""", "100000000000000000000 999999999999999999999", "9223372036854775807 99999999999999999999")]
    [InlineData("""{"type":"integer"}""", "-9223372036854775808 9223372036854775807", "-9223372036854775809 9223372036854775808")]
    [InlineData("""{"type":"number","minimum":0,"maximum":1}""", "0 1 0.5 0.0 1.0 1.000 0.999999", "1.1 1.0001 2 -0.5 -0 1e0 .5 1. 10")]
    [InlineData("""{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1}""", "0.5 0.001 0.99999", "0 1 0.0 0.000 1.0")]
    [InlineData("""{"type":"number","minimum":-1.25,"exclusiveMaximum":10.5}""", "-1.25 -1.250 -1.2 -1 -0.5 0 10.4999 10 9.99 5", "-1.26 -1.251 -2 10.5 10.50 10.51 11")]
    [InlineData("""{"type":"number","minimum":3.14}""", "3.14 3.140 3.15 3.2 4 10 99.5", "3.1 3.139 3 0 -4")]
    [InlineData("""{"type":"number","maximum":-0.05}""", "-0.05 -0.051 -0.1 -1 -20.5", "-0.04 0 -0.049 1 -0")]
    [InlineData("""{"type":"number"}""", "0 -0 1.5 1e5 -2.5E-3 100", "01 1e 1. .1 1e100 --1 Infinity NaN")]
    public void Number_Text_IsAcceptedByItsValue(string schema, string accepted, string refused)
    {
        var source = TestVocabulary.Compile(schema);
        foreach (var text in accepted.Split(' ')) Assert.True(TestVocabulary.Accepts(source, Encoding.UTF8.GetBytes(text)), text);
        foreach (var text in refused.Split(' ')) Assert.False(TestVocabulary.Accepts(source, Encoding.UTF8.GetBytes(text)), text);
    }

    [Fact]
    public void Integer_EveryRangeOfSmallNumbers_IsExact()
    {
        var random = new Random(5);
        for (var round = 0; round < 60; round++)
        {
            var low = random.Next(-1200, 1200);
            var high = low + random.Next(0, 1500);
            var source = TestVocabulary.Compile($$"""{"type":"integer","minimum":{{low}},"maximum":{{high}}}""");
            foreach (var value in new[] { low, high, low - 1, high + 1, 0, random.Next(-3000, 3000), random.Next(-3000, 3000), (low + high) / 2 })
                Assert.Equal(value >= low && value <= high, TestVocabulary.Accepts(source, Encoding.UTF8.GetBytes($"{value}")));
        }
    }

    [Fact]
    public void Number_RandomBounds_AgreeWithComparing()
    {
        var random = new Random(6);
        for (var round = 0; round < 60; round++)
        {
            var (low, high) = (random.Next(-3000, 3000) / 100m, random.Next(-3000, 3000) / 100m);
            if (low >= high) continue;
            var (isAbove, isBelow) = (random.Next(2) == 0, random.Next(2) == 0);
            var source = TestVocabulary.Compile($$"""{"type":"number","{{(isAbove ? "exclusiveMinimum" : "minimum")}}":{{low}},"{{(isBelow ? "exclusiveMaximum" : "maximum")}}":{{high}}}""");
            for (var i = 0; i < 40; i++)
            {
                // Most lie near a bound, where digits decide.
                var value = i == 0 ? low : i == 1 ? high : i < 8 ? random.Next(-40000, 40000) / (decimal)Math.Pow(10, random.Next(0, 4)) : (i % 2 == 0 ? low : high) + (random.Next(-1200, 1200) / (decimal)Math.Pow(10, random.Next(3, 6)));
                if (value == 0) value = 0;
                var expected = (isAbove ? value > low : value >= low) && (isBelow ? value < high : value <= high);
                Assert.True(expected == TestVocabulary.Accepts(source, Encoding.UTF8.GetBytes(value.ToString(System.Globalization.CultureInfo.InvariantCulture))), $"{value} in {low}..{high}, {isAbove}, {isBelow}");
            }
        }
    }

    [Theory]
    [InlineData("\"\\ud83d\\ude00\"", true)]
    [InlineData("\"\\uD83D\"", false)]
    [InlineData("\"\\ude00\"", false)]
    [InlineData("\"\\ud83dx\"", false)]
    [InlineData("\"\\ud83d\\u0041\"", false)]
    [InlineData("\"\\ud7ff\\ue000\"", true)]
    [InlineData("\"\\x\"", false)]
    [InlineData("\"a\nb\"", false)]
    [InlineData("\"\u007f\"", true)]
    [InlineData("\"日本€é😀\"", true)]
    public void String_EscapesAndCharacters_AreWellFormed(string text, bool isAccepted) =>
        Assert.Equal(isAccepted, TestVocabulary.Accepts("""{"type":"string"}""", text));

    [Fact]
    public void String_BytesThatAreNoUtf8_AreRefused()
    {
        var source = TestVocabulary.Compile("""{"type":"string"}""");
        byte[][] bad = [[0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0x80], [0xE2, 0x82], [0xFF]];
        foreach (var bytes in bad) Assert.False(TestVocabulary.Accepts(source, [(byte)'"', .. bytes, (byte)'"']), Convert.ToHexString(bytes));
        foreach (var text in new[] { "\u0080", "\u07FF", "\u0800", "\uD7FF", "\uE000", "\uFFFF", "\U00010000", "\U0010FFFF" })
            Assert.True(TestVocabulary.Accepts(source, Encoding.UTF8.GetBytes($"\"{text}\"")));
    }

    [Theory]
    [InlineData(2, 4, "éa", true)]
    [InlineData(2, 4, "😀😀😀😀", true)]
    [InlineData(2, 4, "😀😀😀😀😀", false)]
    [InlineData(2, 4, "€", false)]
    [InlineData(2, 4, "\\ud83d\\ude00\\n", true)]
    [InlineData(0, 0, "", true)]
    [InlineData(0, 0, "a", false)]
    public void String_Length_CountsCodePoints(int min, int max, string text, bool isAccepted)
    {
        Assert.Equal(isAccepted, TestVocabulary.Accepts($$"""{"type":"string","minLength":{{min}},"maxLength":{{max}}}""", $"\"{text}\""));
        // With a pattern beside them lengths are part of its automaton.
        if (!text.Contains('\\')) Assert.Equal(isAccepted, TestVocabulary.Accepts($$"""{"type":"string","minLength":{{min}},"maxLength":{{max}},"pattern":"^.*$"}""", $"\"{text}\""));
    }

    [Theory]
    [InlineData("^a+b$", "ab aab", "b a abc")]
    [InlineData("b", "b abc xb", "a c")]
    [InlineData("^(?:x|yy){2}$", "xx xyy yyyy", "x xxx yy")]
    [InlineData("^[\\w.-]+@[a-z]{2,}$", "a.b@cd x-@ab", "@ab a@b")]
    [InlineData("^(?<year>\\d{4})?$", "2026", "202 20266")]
    [InlineData("^\\u0041\\x42\\u{1F600}$", "AB😀", "AB")]
    [InlineData("^[^a-c]$", "d é 😀", "a b c dd")]
    [InlineData("^a{0,2}b{2}c{1,}$", "bbc aabbccc", "aaabbc bc bb")]
    [InlineData("^(a|b$", null, null)]
    [InlineData("^\\p{L}$", null, null)]
    [InlineData("^(?=a)b$", null, null)]
    [InlineData("(a)\\1", null, null)]
    [InlineData("a{3,2}", null, null)]
    [InlineData("[z-a]", null, null)]
    [InlineData("*a", null, null)]
    [InlineData("a$b", null, null)]
    public void Pattern_Subset_IsEnforcedOrRefusedByPlace(string pattern, string? accepted, string? refused)
    {
        var schema = JsonSerializer.Serialize(new Dictionary<string, string> { ["type"] = "string", ["pattern"] = pattern });
        if (accepted is null)
        {
            var error = Assert.Throws<JsonSchemaException>(() => TestVocabulary.Compile(schema));
            Assert.Contains("#/pattern", error.Message, StringComparison.Ordinal);
            return;
        }

        foreach (var text in accepted.Split(' ')) Assert.True(TestVocabulary.Accepts(schema, $"\"{text}\""), text);
        foreach (var text in refused!.Split(' ')) Assert.False(TestVocabulary.Accepts(schema, $"\"{text}\""), text);
    }

    [Theory]
    [InlineData("date", "2026-02-28 2024-02-29 2000-02-29 0001-01-01 9999-12-31", "2026-02-29 1900-02-29 0000-01-01 2026-13-01 2026-04-31 2026-1-1")]
    [InlineData("date-time", "2026-01-31T23:59:59Z 2026-01-31T00:00:00.1234567+14:00", "2026-01-31 2026-01-31T24:00:00Z 2026-01-31T00:00:00 2026-01-31T00:00:00+14:01")]
    [InlineData("ipv4", "0.0.0.0 255.255.255.255 10.1.2.3", "256.1.1.1 01.1.1.1 1.1.1")]
    [InlineData("uuid", "00000000-0000-0000-0000-00000000000f", "0000000-0000-0000-0000-00000000000f")]
    public void Format_Enforced_AcceptsRealValues(string format, string accepted, string refused)
    {
        var schema = $$"""{"type":"string","format":"{{format}}"}""";
        foreach (var text in accepted.Split(' ')) Assert.True(TestVocabulary.Accepts(schema, $"\"{text}\""), text);
        foreach (var text in refused.Split(' ')) Assert.False(TestVocabulary.Accepts(schema, $"\"{text}\""), text);
    }

    [Theory]
    [InlineData("""{"a":1, "b":2}""", true)]
    [InlineData("""{"a": 1,"b": 2}""", true)]
    [InlineData("""{"a":  1,"b":2}""", false)]
    [InlineData("""{ "a":1,"b":2}""", false)]
    [InlineData("""{"a":1,"b":2 }""", false)]
    [InlineData("""{"a":1 ,"b":2}""", false)]
    [InlineData("""{"b":2,"a":1}""", false)]
    [InlineData("""{"a":1}""", true)]
    [InlineData("""{"b":1}""", false)]
    [InlineData("""{"a":1,"b":2,}""", false)]
    [InlineData("""{"a":1,"b":2}""" + "\n", false)]
    [InlineData("""{"a":1,"c":2}""", false)]
    [InlineData("""{"a":1,"a":2}""", false)]
    public void Object_Spelling_IsCompactAndInOrder(string text, bool isAccepted) =>
        Assert.Equal(isAccepted, TestVocabulary.Accepts("""{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"required":["a"]}""", text));

    [Fact]
    public void AdditionalProperty_NameOfADeclaredOne_IsNotSpelledInAnyWay()
    {
        const string Schema = """{"type":"object","properties":{"a":{"type":"integer"},"no":false},"additionalProperties":{"type":"string"}}""";

        Assert.True(TestVocabulary.Accepts(Schema, """{"b":"x"}"""));
        Assert.True(TestVocabulary.Accepts(Schema, """{"a":1, "aa":"x", "n":"", "":"y"}"""));
        Assert.False(TestVocabulary.Accepts(Schema, """{"a":"x"}"""));
        Assert.False(TestVocabulary.Accepts(Schema, """{"no":"x"}"""));
        Assert.False(TestVocabulary.Accepts(Schema, """{"\u0061":"x"}"""));
    }

    [Fact]
    public void Advance_TokenThatWasNotAllowed_IsTheCallersBug()
    {
        var constraint = TestVocabulary.Compile("""{"type":"boolean"}""").Start();

        Assert.Throws<InvalidOperationException>(() => constraint.Advance('x'));
    }

    [Fact]
    public void IsComplete_AfterANumber_WaitsForTheEnd()
    {
        var number = TestVocabulary.Compile("""{"type":"integer"}""").Start();
        number.Advance('4');
        Assert.True(number.MayEnd);
        Assert.False(number.IsComplete);

        var word = TestVocabulary.Compile("""{"const":"x"}""").Start();
        foreach (var value in "\"x\""u8.ToArray()) word.Advance(value);
        Assert.True(word.IsComplete);
        Assert.Empty(TestVocabulary.Allowed(word, out var any));
        Assert.True(any);
    }

    [Fact]
    public void Compile_SameSchemaWithOtherWhiteSpace_IsFoundAgain()
    {
        var first = TestVocabulary.Compile("""{"type":"string","maxLength":77}""");

        Assert.Same(first, TestVocabulary.Compile("""{ "type" : "string", "maxLength" : 77 }"""));
        Assert.Equal("""{"type":"string","maxLength":77}""", Encoding.UTF8.GetString(first.Description.Span));
        Assert.NotSame(first, TestVocabulary.Compile("""{"type":"string","maxLength":78}"""));
    }

    internal static byte[] Walk(ITokenConstraintSource source, Random random, int length)
    {
        var constraint = source.Start();
        var text = new List<byte>();
        for (var step = 0; ; step++)
        {
            if (constraint.IsComplete || (constraint.MayEnd && step > length)) return [.. text];
            Assert.True(step < 20_000, $"does not end: {Encoding.UTF8.GetString([.. text.TakeLast(200)])}");
            var allowed = TestVocabulary.Allowed(constraint, out var any);
            Assert.True(any);
            if (allowed.Count == 0) return [.. text];
            // Toward the end whatever closes something, and nothing that opens.
            var closing = allowed.Where(token => token is '"' or ']' or '}').ToList();
            var token = closing.Count > 0 && (step > length || random.Next(6) == 0) ? closing[random.Next(closing.Count)] : allowed[random.Next(allowed.Count)];
            constraint.Advance(token);
            text.AddRange(TestVocabulary.BytesOf(token));
        }
    }

    private static ITokenConstraint Replay(ITokenConstraintSource source, List<int> tokens)
    {
        var constraint = source.Start();
        foreach (var token in tokens) constraint.Advance(token);
        return constraint;
    }

    private static string SchemaOf(string name) => SampleSchemas.All.First(sample => sample.Name == name).Schema;
}
