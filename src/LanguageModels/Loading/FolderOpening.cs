using OpenGradient.Engine.LanguageModels.Kernels;
using OpenGradient.Engine.LanguageModels.OnnxRuntime;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Templates;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>One opening of a model folder: recognizes its layout and puts the parts together.</summary>
internal sealed class FolderOpening(string folder, LanguageModelLoadOptions options, CancellationToken cancellation)
{
    private const string GenAiConfig = "genai_config.json", UsualVersion = "1";

    private Tokenizer? _tokenizer;
    private ChatTemplate? _template;
    private TokenizerSettings? _settings;
    private IReadOnlyList<int> _endTokens = [];

    public LanguageModelParts Open()
    {
        if (!Directory.Exists(folder)) throw new LanguageModelLoadException($"the model folder {Quoted.Of(folder)} does not exist");
        var settings = ModelSettings.Read(folder);
        ITokenRuntime runtime;
        if (File.Exists(Path.Combine(folder, GenAiConfig))) runtime = OpenGenAi();
        else if (SafetensorsFolder.IsThere(folder)) runtime = HuggingFaceFolder.Open(folder, options, ReadBeforeWeights, cancellation);
        else
            throw new LanguageModelLoadException(
                $"the folder {Quoted.Of(folder)} is no model that is known: it has neither {GenAiConfig} nor {SafetensorsFolder.SingleFile} nor {ShardIndex.FileName}");

        return new LanguageModelParts
        {
            Name = options.Name ?? settings.Name ?? Path.GetFileName(Path.GetFullPath(folder).TrimEnd('/')),
            Version = options.Version ?? settings.Version ?? UsualVersion,
            Runtime = runtime,
            Tokenizer = _tokenizer!,
            Template = _template,
            EndTokens = _endTokens,
            BosToken = _settings!.BosToken,
            EosToken = _settings.EosToken,
        };
    }

    /// <summary>Tokenizer and template cost little beside weights, so a folder that fails at them fails first.</summary>
    private void ReadBeforeWeights(LoadedTexts loaded) => ReadTexts(loaded.Texts, loaded.Configuration.Vocabulary, loaded.Configuration.EndTokens);

    private GenAiRuntime OpenGenAi()
    {
        var texts = FolderTexts.ReadTokenizer(folder);
        var runtime = GenAiRuntime.Open(folder, texts, options, cancellation);
        try
        {
            ReadTexts(texts, runtime.Info.VocabularySize, GenAiEndTokens(runtime.Info.VocabularySize));
            return runtime;
        }
        catch
        {
            runtime.Dispose();
            throw;
        }
    }

    private IReadOnlyList<int> GenAiEndTokens(int vocabulary)
    {
        using var document = JsonFields.Parse(FolderFile.Read(folder, GenAiConfig, ModelConfiguration.MaxBytes), GenAiConfig, out var fields);
        return fields.Object("model")?.Tokens("eos_token_id", vocabulary) ?? [];
    }

    private void ReadTexts(FolderTexts texts, int vocabulary, IReadOnlyList<int> configured)
    {
        _settings = TokenizerSettings.Read(texts);
        _tokenizer = ParseTokenizer(texts);
        if (_tokenizer.VocabularySize > vocabulary)
            throw new LanguageModelLoadException($"{FolderTexts.TokenizerFile} has {_tokenizer.VocabularySize} tokens, the model's vocabulary {vocabulary}");
        _template = ParseTemplate(_settings);
        _endTokens = EndTokens(configured, TokenizerSettings.EndTokens(texts, vocabulary));
    }

    /// <summary>Every token that one of the files calls an end; where none does, the tokenizer's.</summary>
    private int[] EndTokens(IReadOnlyList<int> configured, IReadOnlyList<int> generation)
    {
        int[] named = [.. configured.Concat(generation).Distinct().Order()];
        if (named.Length > 0 || _settings!.EosToken.Length == 0) return named;
        return _tokenizer!.IdOf(_settings.EosToken) is { } token
            ? [token]
            : throw new LanguageModelLoadException($"{FolderTexts.TokenizerConfig}: eos_token is {Quoted.Of(_settings.EosToken)}, which is no token of {FolderTexts.TokenizerFile}");
    }

    private static Tokenizer ParseTokenizer(FolderTexts texts)
    {
        try
        {
            return Tokenizer.Parse(texts[FolderTexts.TokenizerFile]);
        }
        catch (TokenizerException error)
        {
            throw new LanguageModelLoadException($"{FolderTexts.TokenizerFile}: {error.Message}", error);
        }
    }

    private static ChatTemplate? ParseTemplate(TokenizerSettings settings)
    {
        if (settings.Template is null) return null;
        try
        {
            return ChatTemplate.Parse(settings.Template);
        }
        catch (ChatTemplateException error)
        {
            throw new LanguageModelLoadException($"{settings.TemplateFile}: {error.Message}", error);
        }
    }
}
