using System.Text;
using OpenGradient.Engine.LanguageModels.Constraints;

namespace OpenGradient.Engine.LanguageModels.Tests.Constraints;

public sealed class JsonSchemaRefusalTests
{
    [Theory]
    [InlineData("{", "not JSON")]
    [InlineData("5", "#: a schema is an object")]
    [InlineData("""{"type":"strin"}""", "#/type")]
    [InlineData("""{"type":[]}""", "#/type")]
    [InlineData("""{"type":"string","type":"integer"}""", "not JSON")]
    [InlineData("""{"properties":{"a":{"not":{}}}}""", "#/properties/a: keyword 'not'")]
    [InlineData("""{"properties":{"a/b":{"patternProperties":{}}}}""", "#/properties/a~1b: keyword 'patternProperties'")]
    [InlineData("""{"type":"integer","multipleOf":3}""", "#: keyword 'multipleOf'")]
    [InlineData("""{"type":"array","uniqueItems":true}""", "#: keyword 'uniqueItems'")]
    [InlineData("""{"frobnicate":1}""", "#: keyword 'frobnicate'")]
    [InlineData("""{"items":[{}]}""", "#/items")]
    [InlineData("""{"minLength":-1}""", "#/minLength")]
    [InlineData("""{"minLength":1.5}""", "#/minLength")]
    [InlineData("""{"minimum":"3"}""", "#/minimum")]
    [InlineData("""{"exclusiveMinimum":true}""", "#/exclusiveMinimum")]
    [InlineData("""{"required":"a"}""", "#/required")]
    [InlineData("""{"anyOf":[]}""", "#/anyOf")]
    [InlineData("""{"$ref":"#/nowhere"}""", "#/$ref: '#/nowhere' leads nowhere")]
    [InlineData("""{"$ref":"other.json"}""", "#/$ref")]
    [InlineData("""{"$ref":5}""", "#/$ref")]
    [InlineData("""{"enum":[]}""", "#/enum")]
    [InlineData("""{"enum":"a"}""", "#/enum")]
    [InlineData("""{"const":"\ud800"}""", "Unicode")]
    [InlineData("""{"properties":{"\ud800":{}}}""", "Unicode")]
    [InlineData("""{"type":"integer","minimum":1e300,"maximum":1e308}""", "digits")]
    [InlineData("""{"oneOf":[{"type":"integer"},{"type":"number"}]}""", "#/oneOf: alternatives 0 and 1")]
    [InlineData("""{"oneOf":[{"type":"object","properties":{"a":{}}},{"type":"object","properties":{"b":{}}}]}""", "#/oneOf: alternatives 0 and 1")]
    [InlineData("""{"oneOf":[{"const":1},{"enum":[2,1.0]}]}""", "#/oneOf: alternatives 0 and 1")]
    [InlineData("""{"enum":[{"a":1}],"required":["a"]}""", "enum or const")]
    public void Compile_Schema_IsRefusedByNameAndPlace(string schema, string named)
    {
        var error = Assert.Throws<JsonSchemaException>(() => TestVocabulary.Compile(schema));

        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("false", "#: false")]
    [InlineData("""{"type":"integer","minimum":5,"maximum":3}""", "no number is between 5 and 3")]
    [InlineData("""{"type":"integer","exclusiveMinimum":5,"exclusiveMaximum":6}""", "no integer")]
    [InlineData("""{"type":"string","minLength":5,"maxLength":3}""", "minLength 5 is above maxLength 3")]
    [InlineData("""{"type":"array","minItems":5,"maxItems":3}""", "minItems 5 is above maxItems 3")]
    [InlineData("""{"type":"array","items":false,"minItems":1}""", "#/items: false")]
    [InlineData("""{"type":"object","properties":{"a":false},"required":["a"]}""", "#/properties/a: false")]
    [InlineData("""{"type":"object","properties":{"a":{}},"required":["b"],"additionalProperties":false}""", "#/additionalProperties: false")]
    [InlineData("""{"allOf":[{"type":"string"},{"type":"integer"}]}""", "no type is left")]
    [InlineData("""{"allOf":[{"const":1},{"const":2}]}""", "no value is left")]
    [InlineData("""{"type":"string","enum":[1,2]}""", "enumeration")]
    [InlineData("""{"type":"string","pattern":"^a{3}$","maxLength":2}""", "#/pattern")]
    [InlineData("""{"type":"string","pattern":"^(aaa)*$","minLength":4,"maxLength":5}""", "#/pattern")]
    [InlineData("""{"type":"string","pattern":"^\\u0001$"}""", "#/pattern")]
    [InlineData("""{"anyOf":[false,{"type":"string","minLength":2,"maxLength":1}]}""", "#/anyOf/0: false")]
    [InlineData("""{"type":"object","properties":{"self":{"$ref":"#"}},"required":["self"]}""", "nest more than")]
    public void Compile_NothingSatisfies_IsRefusedWithTheReason(string schema, string reason)
    {
        var error = Assert.Throws<JsonSchemaException>(() => TestVocabulary.Compile(schema));

        Assert.StartsWith("nothing satisfies the schema", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"$ref":"#"}""")]
    [InlineData("""{"allOf":[{"$ref":"#"}]}""")]
    [InlineData("""{"anyOf":[{"type":"integer"},{"$ref":"#"}]}""")]
    [InlineData("""{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}""")]
    [InlineData("""{"$ref":"#/$defs/a","$defs":{"a":{"description":"x","type":"object","$ref":"#/$defs/b"},"b":{"allOf":[{"$ref":"#/$defs/a"}]}}}""")]
    public void Compile_ReferenceToItself_IsRefused(string schema)
    {
        var error = Assert.Throws<JsonSchemaException>(() => TestVocabulary.Compile(schema));

        Assert.Contains("lead back", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Compile_AnnotationsAndExtensions_AreIgnored() =>
        Assert.True(TestVocabulary.Accepts(
            """{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"x","title":"t","description":"d","default":1,"examples":[1],"deprecated":true,"readOnly":true,"$comment":"c","x-order":1,"type":"integer","format":"int32"}""", "7"));

    [Fact]
    public void Compile_TooManyBytes_IsRefused() =>
        Assert.Contains("more than", Assert.Throws<JsonSchemaException>(() => TestVocabulary.Compile($$"""{"title":"{{new string('x', 300_000)}}"}""")).Message, StringComparison.Ordinal);

    [Fact]
    public void Compile_ExponentialAlternatives_IsRefusedOrShared()
    {
        // Each level names the next twice; by reference they are one, side by side in allOf they multiply.
        var shared = new StringBuilder("""{"$ref":"#/$defs/d0","$defs":{""");
        for (var i = 0; i < 60; i++) shared.Append($$$$"""{{{{(i > 0 ? "," : "")}}}}"d{{{{i}}}}":{"type":"object","properties":{"x":{"anyOf":[{"$ref":"#/$defs/d{{{{i + 1}}}}"},{"$ref":"#/$defs/d{{{{i + 1}}}}"}]}}}""");
        shared.Append(""","d60":{"type":"integer"}}}""");
        Assert.True(TestVocabulary.Accepts(shared.ToString(), """{"x":{"x":{}}}"""));

        var product = "{\"allOf\":[" + string.Join(',', Enumerable.Range(0, 30).Select(i => $$"""{"anyOf":[{"minLength":{{i}}},{"maxLength":{{100 + i}}}]}""")) + "]}";
        Assert.Contains("combinations", Assert.Throws<JsonSchemaException>(() => TestVocabulary.Compile(product)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Compile_DeepSchemas_AreBounded()
    {
        var deep = string.Concat(Enumerable.Repeat("""{"items":""", 70)) + "true" + new string('}', 70);
        Assert.True(TestVocabulary.Accepts(deep, "[[[]]]"));
        Assert.Throws<JsonSchemaException>(() => TestVocabulary.Compile(string.Concat(Enumerable.Repeat("""{"items":""", 5000)) + "true" + new string('}', 5000)));

        var chain = new StringBuilder("""{"$ref":"#/$defs/d0","$defs":{"d5000":{"type":"integer"}""");
        for (var i = 0; i < 5000; i++) chain.Append($$$""","d{{{i}}}":{"items":{"$ref":"#/$defs/d{{{i + 1}}}"}}""");
        Assert.True(TestVocabulary.Accepts(chain.Append("}}").ToString(), "[[[]]]"));
    }

    [Fact]
    public void Compile_HugeEnumeration_IsBuiltAndExact()
    {
        var values = Enumerable.Range(0, 20_000).Select(i => $"v{i * 7919 % 100_003:x}").ToArray();
        var source = TestVocabulary.Compile("{\"enum\":[" + string.Join(',', values.Select(value => $"\"{value}\"")) + "]}");

        foreach (var value in values.Where((_, i) => i % 997 == 0)) Assert.True(TestVocabulary.Accepts(source, Encoding.UTF8.GetBytes($"\"{value}\"")));
        Assert.False(TestVocabulary.Accepts(source, "\"v\""u8));
    }

    [Theory]
    [InlineData("^((a{1,100}){1,100}){1,100}$")]
    [InlineData("^(a|b)*a(a|b){30}$")]
    [InlineData("(x+x+)+y{500}(z|zz){900}")]
    public void Compile_ExplosivePattern_IsRefused(string pattern) =>
        Assert.Contains("#/pattern", Assert.Throws<JsonSchemaException>(() => TestVocabulary.Compile($$"""{"type":"string","pattern":"{{pattern}}"}""")).Message, StringComparison.Ordinal);

    [Fact]
    public void Allow_ManyAmbiguousAlternatives_StaysBoundedAndSound()
    {
        // A hundred and more patterns that begin alike are followed at once, and each step's work has an end.
        var schema = "{\"anyOf\":[" + string.Join(',', Enumerable.Range(0, 150).Select(i => $$"""{"type":"string","pattern":"^[a-z ]*{{i}}$"}""")) + "]}";
        var constraint = TestVocabulary.Compile(schema).Start();
        foreach (var value in "\"abc"u8.ToArray())
        {
            Assert.Contains((int)value, TestVocabulary.Allowed(constraint, out _));
            constraint.Advance(value);
        }

        var text = JsonSchemaConstraintTests.Walk(TestVocabulary.Compile(schema), new Random(1), 20);
        Assert.Matches("^\"[a-z ]*[0-9]{1,3}\"$", Encoding.UTF8.GetString(text));
    }

    [Fact]
    public void Compile_ObjectWithManyOptionalProperties_ReachesTheLast()
    {
        var schema = "{\"type\":\"object\",\"properties\":{" + string.Join(',', Enumerable.Range(0, 3000).Select(i => $"\"p{i}\":{{\"type\":\"integer\"}}")) + "}}";

        Assert.True(TestVocabulary.Accepts(schema, """{"p7":1, "p2999":2}"""));
        Assert.False(TestVocabulary.Accepts(schema, """{"p2999":1, "p7":2}"""));
    }
}
