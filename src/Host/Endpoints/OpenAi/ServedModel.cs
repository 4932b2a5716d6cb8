using System.Security.Cryptography;
using System.Text;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.LanguageModels;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Templates;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.Host.Endpoints.OpenAi;

/// <summary>What the endpoints need of a language model.</summary>
/// <param name="Created">When it was loaded.</param>
/// <param name="Template">Null: it completes, and does not chat.</param>
/// <param name="Embed">The last token's hidden state of one input, scaled to length 1.</param>
internal sealed record ServedModel(
    string Name,
    string Version,
    DateTimeOffset Created,
    TokenModelInfo Info,
    Tokenizer Tokenizer,
    ChatTemplate? Template,
    string BosToken,
    string EosToken,
    ITextGenerator Generator,
    Func<ReadOnlyMemory<int>, CancellationToken, ValueTask<float[]>> Embed)
{
    /// <summary>That API's name for what, besides the request, decides an answer: model, scheme, runtime, instruction set.</summary>
    public string SystemFingerprint { get; } = FingerprintOf(Info);

    public static ServedModel Of(LanguageModel model, DateTimeOffset created) => new(
        model.Name, model.Version, created, model.Info, model.Tokenizer, model.Template, model.Parts.BosToken, model.Parts.EosToken, model, model.EmbedAsync);

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
