using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>The small files of a model folder, each read once under a cap. What is parsed later is what the identity covers.</summary>
internal sealed class FolderTexts
{
    public const string GenerationConfig = "generation_config.json", TokenizerFile = "tokenizer.json", TokenizerConfig = "tokenizer_config.json",
        JinjaTemplate = "chat_template.jinja", JsonTemplate = "chat_template.json";

    // The largest published tokenizer.json has some 35 MB; the others have kilobytes, or some hundred with all added tokens listed.
    private const int MaxTokenizer = 64 << 20, MaxTokenizerConfig = 8 << 20, MaxTemplate = 1 << 20, MaxSettings = 1 << 20;

    private readonly SortedDictionary<string, byte[]> _files = new(StringComparer.Ordinal);

    private FolderTexts()
    {
    }

    /// <summary>The files of Hugging Face's layout; those that are not required may be absent.</summary>
    public static FolderTexts Read(string folder)
    {
        var texts = ReadTokenizer(folder);
        texts.Add(ConfigurationReader.FileName, FolderFile.Read(folder, ConfigurationReader.FileName, ModelConfiguration.MaxBytes));
        texts.Add(GenerationConfig, FolderFile.ReadIfThere(folder, GenerationConfig, MaxSettings));
        texts.Add(JsonTemplate, FolderFile.ReadIfThere(folder, JsonTemplate, MaxTemplate));
        return texts;
    }

    /// <summary>Tokenizer and template alone: what every layout has, and what every layout's identity covers.</summary>
    public static FolderTexts ReadTokenizer(string folder)
    {
        var texts = new FolderTexts();
        texts.Add(TokenizerFile, FolderFile.Read(folder, TokenizerFile, MaxTokenizer));
        texts.Add(TokenizerConfig, FolderFile.ReadIfThere(folder, TokenizerConfig, MaxTokenizerConfig));
        texts.Add(JinjaTemplate, FolderFile.ReadIfThere(folder, JinjaTemplate, MaxTemplate));
        return texts;
    }

    /// <summary>Null for a file that is not there.</summary>
    public byte[]? this[string name] => _files.GetValueOrDefault(name);

    /// <summary>Name and root of every file that is there.</summary>
    public IEnumerable<(string Name, Hash256 Root)> Roots() => _files.Select(file => (file.Key, RootOf(file.Value)));

    private static Hash256 RootOf(byte[] bytes)
    {
        using var identity = new ModelIdentity();
        identity.Append(bytes);
        return identity.Finish();
    }

    private void Add(string name, byte[]? bytes)
    {
        if (bytes is not null) _files.Add(name, bytes);
    }
}
