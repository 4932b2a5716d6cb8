namespace OpenGradient.Engine.LanguageModels.Tests.Templates;

/// <summary>Expected texts are what Jinja 3 gives with trim_blocks and lstrip_blocks on, as transformers has them.</summary>
public sealed class StatementTests
{
    [Theory]
    [InlineData("a\n  {% if true %}\n  b\n  {% endif %}\nc\n", "a\n  b\nc")]
    [InlineData("a {%- if true -%}  b  {%- endif -%}  c", "abc")]
    [InlineData("  {{ 1 }}\n{{- 2 }}  {{ 3 -}}  \n x", "  12  3x")]
    [InlineData("a\n{# note #}\nb{#- x -#}  c", "a\nbc")]
    [InlineData("  {%+ if true %}x{% endif %}", "  x")]
    [InlineData("{% if true +%}\nx{% endif %}", "\nx")]
    [InlineData("{% if true %} {% endif %}|", " |")]
    [InlineData("x  {% if true %}y{% endif %}", "x  y")]
    [InlineData("{{ 1 }}\n{{ 2 }}\n", "1\n2")]
    [InlineData("a\r\nb\r\n", "a\nb")]
    [InlineData("{% raw %}{{ x }} {% if %}{% endraw %}!", "{{ x }} {% if %}!")]
    [InlineData("{ {{ '}}' }} {{ {'a': {}} }} {", "{ }} {'a': {}} {")]
    [InlineData("", "")]
    public void Render_WhiteSpace_IsTrimmedAsJinjaDoes(string template, string expected) => Assert.Equal(expected, Rendering.Of(template));

    [Theory]
    [InlineData("{% for x in [1, 2, 3] %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.first }}{{ loop.last }}{{ loop.length }} {% endfor %}", "103TrueFalse3 212FalseFalse3 321FalseTrue3 ")]
    [InlineData("{% for x in [] %}a{% else %}b{% endfor %}", "b")]
    [InlineData("{% for x in [1, 2, 3, 4] if x is even %}{{ loop.index }}:{{ x }} {% endfor %}", "1:2 2:4 ")]
    [InlineData("{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}={{ v }};{% endfor %}", "a=1;b=2;")]
    [InlineData("{% for k in {'a': 1} %}{{ k }}{% endfor %}{% for c in 'a😀' %}[{{ c }}]{% endfor %}", "a[a][😀]")]
    [InlineData("{% for x in [1, 2, 3] %}{% if x == 2 %}{% continue %}{% endif %}{{ x }}{% endfor %}", "13")]
    [InlineData("{% for x in [1, 2, 3] %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% endfor %}", "1")]
    [InlineData("{% for x in [1, 2] %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}", "<1>2 1<2> ")]
    [InlineData("{% for x in [1, 1, 2] %}{{ loop.cycle('a', 'b') }}{{ loop.changed(x) }} {% endfor %}", "aTrue bFalse aTrue ")]
    [InlineData("{% for x in [1] %}{% for y in [1] %}{{ loop.depth }}{% endfor %}{{ loop.depth0 }}{% endfor %}", "20")]
    [InlineData("{% set x = 0 %}{% for i in [1, 2] %}{% set x = i %}{% endfor %}{{ x }}", "0")]
    [InlineData("{% set ns = namespace(x=0) %}{% for i in [1, 2] %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}", "3")]
    [InlineData("{% if false %}{% elif 1 %}b{% else %}c{% endif %}", "b")]
    [InlineData("{% if true %}{% set x = 5 %}{% endif %}{{ x }}", "5")]
    [InlineData("{% set a, b = 1, 2 %}{{ b }}{{ a }}", "21")]
    [InlineData("{% set x %}a{{ 1 }}{% endset %}{{ x | upper }}", "A1")]
    [InlineData("{% set x | upper | trim %} ab {% endset %}{{ x }}|", "AB|")]
    [InlineData("{% macro f(a, b='d') %}{{ a }}{{ b }};{% endmacro %}{{ f(1) }}{{ f(1, 2) }}{{ f(b=3, a=4) }}", "1d;12;43;")]
    [InlineData("{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}", "3210")]
    [InlineData("{% macro f() %}<{{ caller(5) }}>{% endmacro %}{% call(x) f() %}c{{ x }}{% endcall %}", "<c5>")]
    [InlineData("{% filter upper %}a{{ 'b' }}{% endfilter %}", "AB")]
    [InlineData("{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }}", "12")]
    [InlineData("{% generation %}x{% endgeneration %}", "x")]
    [InlineData("{% set x = 1 if false else 2 %}{{ x }}", "2")]
    [InlineData("{%- set ns = namespace() -%}{% set ns.text = 'a' %}{% set ns.text = ns.text ~ 'b' %}{{ ns.text }}", "ab")]
    public void Render_Statement_DoesWhatJinjaDoes(string template, string expected) => Assert.Equal(expected, Rendering.Of(template));

    [Theory]
    [InlineData("{% include 'x' %}", "the tag 'include'")]
    [InlineData("{% import 'x' as y %}", "the tag 'import'")]
    [InlineData("{% for x in y recursive %}{% endfor %}", "recursive")]
    [InlineData("{% if true %}", "'endif'")]
    [InlineData("{% endif %}", "'endif' ends nothing")]
    [InlineData("{% break %}", "stands in no loop")]
    [InlineData("{% for x in [1] %}{% macro f() %}{% break %}{% endmacro %}{% endfor %}", "stands in no loop")]
    [InlineData("{{ 'a }}", "a string without its end")]
    [InlineData("{{ 1 ", "a tag without its '}}'")]
    [InlineData("{# a", "a comment without its end")]
    [InlineData("{% raw %}a", "raw text without its end")]
    [InlineData("{{ ) }}", "closes nothing")]
    [InlineData("{{ a ? b }}", "'?' is not expected")]
    [InlineData("{% set x.y = 1 %}", "no namespace")]
    [InlineData("{% set a, b = [1] %}", "1 values for 2 names")]
    [InlineData("{% macro f(a, a) %}{% endmacro %}", "named twice")]
    [InlineData("{% macro f() %}{% endmacro %}{{ f(1) }}", "has 0 parameters")]
    [InlineData("{{ '\\uD800' }}", "hexadecimal digits of a character")]
    public void Render_WhatIsNotUnderstood_IsRefusedByName(string template, string said) => Assert.Contains(said, Rendering.Refused(template));

    [Fact]
    public void Render_Error_NamesTheLine()
    {
        Assert.StartsWith("line 3: ", Rendering.Refused("a\n{% if true %}\n{{ missing.x }}\n{% endif %}"));
        Assert.StartsWith("line 2: ", Rendering.Refused("a\n{{ 1 | nosuch }}\n"));
        Assert.Equal("line 2: the template refuses this: roles must alternate", Rendering.Refused("\n{{ raise_exception('roles must alternate') }}"));
    }

    [Theory]
    [InlineData("{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}", "steps")]
    [InlineData("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "deep")]
    [InlineData("{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}", "letters")]
    [InlineData("{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(100) %}{% set ns.x = ns.x.replace('a', 'aaaaaaaa') %}{% endfor %}", "letters")]
    [InlineData("{% set ns = namespace(x=[]) %}{% for i in range(1000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}", "deep")]
    [InlineData("{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x | tojson }}", "letters")]
    [InlineData("{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}", "steps")]
    [InlineData("{% set s = 'ab' * 4000000 %}{% for i in range(100000) %}{% if 'x' in s %}{% endif %}{% endfor %}", "letters")]
    [InlineData("{% set s = 'ab' * 400000 %}{% for i in range(100000) %}{{ s[5] }}{% endfor %}", "steps")]
    [InlineData("{% for i in range(100000) %}{{ 'a' * 1000 }}{% endfor %}", "letters")]
    [InlineData("{{ (range(100000) | list + range(100000) | list) | unique | list }}", "steps")]
    public void Render_WithoutEnd_IsStopped(string template, string said) => Assert.Contains(said, Rendering.Refused(template));

    [Fact]
    public void Parse_DeepNesting_IsRefusedAndNotFollowed()
    {
        Assert.Contains("deep", Rendering.Refused("{{ " + new string('(', 5000) + "1" + new string(')', 5000) + " }}"));
        Assert.Contains("deep", Rendering.Refused("{{ 1" + string.Concat(Enumerable.Repeat(" + 1", 5000)) + " }}"));
        Assert.Contains("deep", Rendering.Refused("{{ a" + string.Concat(Enumerable.Repeat(".a", 5000)) + " }}"));
        Assert.Contains("deep", Rendering.Refused("{{ " + string.Concat(Enumerable.Repeat("not ", 5000)) + "1 }}"));
        Assert.Contains("deep", Rendering.Refused("{{ " + string.Concat(Enumerable.Repeat("- ", 5000)) + "1 }}"));
        Assert.Contains("deep", Rendering.Refused(string.Concat(Enumerable.Repeat("{% if 1 %}", 5000))));
        Assert.Contains("more than", Rendering.Refused(new string('a', 300_000)));
    }

    [Fact]
    public void Parse_RandomDamage_IsRefusedOrUnderstoodButNeverCrashes()
    {
        const string Whole = "{%- set ns = namespace(x=1) %}{% for m in messages if m.role != 'x' %}{{ '<|' + m['role'] + '|>' ~ m.content | trim }}{% if loop.last and not ns.x %}{{ [1, {'a': 2}][-1].a }}{% endif %}{% endfor %}{% macro f(a, b=1) %}{{ a }}{% endmacro %}{{ f(2) }}";
        var random = new Random(2);
        const string Letters = "{}%#-+()[]'\"|.,: =<>~*/in if or\n0a\\";
        for (var round = 0; round < 3000; round++)
        {
            var damaged = Whole.ToCharArray();
            for (var change = random.Next(1, 5); change > 0; change--) damaged[random.Next(damaged.Length)] = Letters[random.Next(Letters.Length)];
            try
            {
                Rendering.Of(new string(damaged), """[{"role": "user", "content": " a "}]""");
            }
            catch (OpenGradient.Engine.LanguageModels.Templates.ChatTemplateException)
            {
                // A refusal is an answer.
            }
        }
    }
}
