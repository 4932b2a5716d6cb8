using System.Text;
using System.Text.Json;

namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>What a model folder says around its tokenizer: special tokens, chat template, tokens that end an answer.</summary>
/// <param name="Template">Source of the chat template, or null.</param>
/// <param name="TemplateFile">Where it was found, for messages.</param>
internal sealed record TokenizerSettings(string BosToken, string EosToken, string? Template, string TemplateFile)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static TokenizerSettings Read(FolderTexts texts)
    {
        var (bos, eos, template) = ("", "", (string?)null);
        if (texts[FolderTexts.TokenizerConfig] is { } config)
        {
            using var document = JsonFields.Parse(config, FolderTexts.TokenizerConfig, out var fields);
            (bos, eos) = (TokenText(fields, "bos_token"), TokenText(fields, "eos_token"));
            template = TemplateText(fields);
        }

        // Newer folders keep the template in a file of its own, and that one counts.
        if (texts[FolderTexts.JinjaTemplate] is { } jinja) return new TokenizerSettings(bos, eos, DecodeTemplate(jinja), FolderTexts.JinjaTemplate);
        if (template is not null || texts[FolderTexts.JsonTemplate] is not { } json) return new TokenizerSettings(bos, eos, template, FolderTexts.TokenizerConfig);
        using var outer = JsonFields.Parse(json, FolderTexts.JsonTemplate, out var inner);
        return new TokenizerSettings(bos, eos, TemplateText(inner), FolderTexts.JsonTemplate);
    }

    /// <summary><c>eos_token_id</c> of <c>generation_config.json</c>; none when there is none.</summary>
    public static IReadOnlyList<int> EndTokens(FolderTexts texts, int vocabulary)
    {
        if (texts[FolderTexts.GenerationConfig] is not { } config) return [];
        using var document = JsonFields.Parse(config, FolderTexts.GenerationConfig, out var fields);
        return fields.Tokens("eos_token_id", vocabulary);
    }

    /// <summary>A token is written as its text, or as an object with its text in <c>content</c>.</summary>
    private static string TokenText(JsonFields fields, string name) => fields.Find(name) switch
    {
        null => "",
        { ValueKind: JsonValueKind.Object } => fields.Object(name)!.Value.Text("content") ?? throw fields.Refused($"{name} has no content"),
        _ => fields.Text(name)!,
    };

    /// <summary>One template, or a list of named ones of which <c>default</c> is taken.</summary>
    private static string? TemplateText(JsonFields fields)
    {
        if (fields.Find("chat_template") is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Array) return fields.Text("chat_template");
        foreach (var named in fields.Objects("chat_template"))
            if (named.Text("name") == "default") return named.Text("template") ?? throw fields.Refused("chat_template 'default' has no template");
        throw fields.Refused("chat_template is a list without one named 'default'");
    }

    private static string DecodeTemplate(byte[] bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException error)
        {
            throw new LanguageModelLoadException($"{FolderTexts.JinjaTemplate} is not UTF-8", error);
        }
    }
}
