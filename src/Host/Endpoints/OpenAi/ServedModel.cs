using System.Security.Cryptography;
using System.Text;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Host.Protocol.OpenAi;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.LanguageModels;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.Host.Endpoints.OpenAi;

/// <summary>What the endpoints need of a language model.</summary>
/// <param name="Parts">Name, tokenizer, template; its runtime is the generator's alone.</param>
/// <param name="Created">When it was loaded.</param>
/// <param name="Embed">The last token's hidden state of one input, scaled to length 1.</param>
internal sealed record ServedModel(
    LanguageModelParts Parts, TokenModelInfo Info, DateTimeOffset Created, ITextGenerator Generator, Func<ReadOnlyMemory<int>, CancellationToken, ValueTask<float[]>> Embed)
{
    // No published tokenizer has tokens that are longer on average: a text beyond it cannot fit, and is not tokenized to find that out.
    private const int LongestToken = 256;

    public string Name => Parts.Name;

    public Tokenizer Tokenizer => Parts.Tokenizer;

    /// <summary>That API's name for what, besides the request, decides an answer: model, scheme, runtime, instruction set.</summary>
    public string SystemFingerprint { get; } = FingerprintOf(Info);

    public static ServedModel Of(LanguageModel model, DateTimeOffset created) => new(model.Parts, model.Info, created, model, model.EmbedAsync);

    /// <summary>The tokens of a prompt that is not a chat.</summary>
    /// <exception cref="OpenAiException">It is empty, has a token that the model does not, or is longer than the context.</exception>
    public int[] TokensOf(PromptText prompt)
    {
        if (prompt.Text is { } text && text.Length > (long)Info.ContextLength * LongestToken) throw TooLong(prompt.Path);
        var tokens = prompt.Tokens ?? Tokenizer.Encode(prompt.Text!, addSpecialTokens: true);
        if (tokens.Length == 0) throw OpenAiException.Invalid(prompt.Path, "is empty");
        if (Array.Find(tokens, token => token >= Info.VocabularySize) is var unknown and not 0) throw OpenAiException.Invalid(prompt.Path, $"has token {unknown}; the model's are below {Info.VocabularySize}");
        return tokens.Length <= Info.ContextLength ? tokens : throw TooLong(prompt.Path, tokens.Length);
    }

    /// <summary>Refuses a body that cannot hold a prompt which fits.</summary>
    public void CheckLength(int body, string param)
    {
        // Names, roles, tools and escapes take their part.
        if (body > (1 << 20) + (6L * Info.ContextLength * LongestToken)) throw TooLong(param);
    }

    private OpenAiException TooLong(string param, int? tokens = null) => new(
        StatusCodes.Status400BadRequest,
        $"'{param}' is {(tokens is { } count ? $"{count} tokens" : "far more text than fits")}; the context of '{Name}' is {Info.ContextLength} tokens", param, "context_length_exceeded");

    private static string FingerprintOf(TokenModelInfo info)
    {
        var runtime = info.Runtime;
        var text = $"{info.Identity}\n{runtime.Backend}\n{runtime.LibraryVersion}\n{runtime.LibraryDigest}\n{runtime.Provider}\n{runtime.Device}\n{runtime.Precision}\n{runtime.Options}";
        return "fp_" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));
    }
}

/// <summary>The language models of a running host, by name.</summary>
internal sealed class ServedModels(IReadOnlyList<ServedModel> all)
{
    public IReadOnlyList<ServedModel> All { get; } = all;

    public static ServedModels Of(EngineHost host) => new([.. host.LanguageModels.All.Select(model => ServedModel.Of(model, host.StartedAt))]);

    /// <exception cref="OpenAiException">404: there is no such model.</exception>
    public ServedModel Find(string name) => All.FirstOrDefault(model => model.Name == name)
        ?? throw new OpenAiException(StatusCodes.Status404NotFound, $"there is no language model {Quoted.Text(name)}; GET /v1/models lists those that are served", "model", "model_not_found");
}
