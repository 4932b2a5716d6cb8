using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.AI;
using OpenGradient.Engine.LanguageModels;
using OpenGradient.Engine.LanguageModels.Chat;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Tools;

namespace OpenGradient.Engine.Hosting.Chat;

/// <summary>
/// A served language model as an <see cref="IChatClient"/>. Every answer's <c>AdditionalProperties</c> have an
/// <see cref="AnswerReceipt"/> under <see cref="AnswerReceipt.Key"/>, where the host signs. Safe for concurrent calls; it owns nothing.
/// </summary>
public sealed class ProvenChatClient : IChatClient
{
    internal const string ProviderName = "opengradient";

    private readonly Func<(ITextGenerator Generator, LanguageModelParts Parts)> _model;
    private readonly TimeProvider _time;

    /// <param name="time">For templates that print the date, and for the answer's own.</param>
    public ProvenChatClient(LanguageModel model, TimeProvider time) : this(model, model.Parts, time)
    {
    }

    /// <param name="generator">Continues prompts of the model whose tokenizer and template <paramref name="parts"/> has.</param>
    /// <param name="time">For templates that print the date, and for the answer's own.</param>
    public ProvenChatClient(ITextGenerator generator, LanguageModelParts parts, TimeProvider time) : this(() => (generator, parts), time)
    {
        ArgumentNullException.ThrowIfNull(generator);
        ArgumentNullException.ThrowIfNull(parts);
    }

    /// <param name="model">Asked at every call: the model of a host may be there only once it has started.</param>
    internal ProvenChatClient(Func<(ITextGenerator Generator, LanguageModelParts Parts)> model, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_model, _time) = (model, time);
    }

    /// <exception cref="ChatPromptException">Messages, tools or format cannot be asked; the exception names the part.</exception>
    /// <exception cref="GenerationException">The model refused or failed; the failure says why and whether another try may help.</exception>
    /// <exception cref="ArgumentException">An option is none that this model knows.</exception>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        cancellationToken.ThrowIfCancellationRequested();
        var (generation, prompt, model) = Start(messages, options, isStreamed: false);
        GenerationResult result;
        await using (cancellationToken.UnsafeRegister(static state => ((IGeneration)state!).Cancel(), generation).ConfigureAwait(false))
            result = await generation.Completion.ConfigureAwait(false);
        Check(result, cancellationToken);

        var parser = prompt.StartParser();
        var content = parser.Append(result.Text) + parser.Finish();
        var message = new ChatMessage(ChatRole.Assistant, [.. content.Length > 0 || parser.Calls.Count == 0 ? [new TextContent(content)] : Array.Empty<AIContent>(), .. parser.Calls.Select(CallOf)]);
        var response = new ChatResponse(message)
        {
            ResponseId = IdOf(result),
            ModelId = model,
            CreatedAt = _time.GetUtcNow(),
            FinishReason = ReasonOf(result.Finish, parser.Calls.Count > 0),
            Usage = UsageOf(result.Usage),
            RawRepresentation = result,
        };
        message.MessageId = response.ResponseId;
        if (AnswerReceipt.Of(result.Heads) is { } receipt) (response.AdditionalProperties ??= [])[AnswerReceipt.Key] = receipt;
        return response;
    }

    /// <exception cref="ChatPromptException">Messages, tools or format cannot be asked; the exception names the part.</exception>
    /// <exception cref="GenerationException">The model refused or failed; the failure says why and whether another try may help.</exception>
    /// <exception cref="ArgumentException">An option is none that this model knows.</exception>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        cancellationToken.ThrowIfCancellationRequested();
        var (generation, prompt, model) = Start(messages, options, isStreamed: true);
        var (id, created) = (NewId("chat"), _time.GetUtcNow());
        ChatResponseUpdate Update(params IList<AIContent> contents) => new(ChatRole.Assistant, contents) { ResponseId = id, MessageId = id, ModelId = model, CreatedAt = created };

        var parser = prompt.StartParser();
        var (calls, heads) = (0, new List<GenerationHead>());
        await foreach (var part in generation.ReadPartsAsync(cancellationToken).ConfigureAwait(false))
        {
            var contents = Contents(parser.Append(part.Text));
            if (contents.Count > 0) yield return Update(contents);
            if (part.Head is null) continue;
            heads.Add(part.Head);
            // What was signed so far: who is cut off from here on still proves this much.
            yield return WithReceipt(Update(), heads);
        }

        var result = await generation.Completion.ConfigureAwait(false);
        Check(result, cancellationToken);
        if (Contents(parser.Finish()) is { Count: > 0 } rest) yield return Update(rest);
        var last = WithReceipt(Update(new UsageContent(UsageOf(result.Usage))), result.Heads);
        last.FinishReason = ReasonOf(result.Finish, calls > 0);
        last.RawRepresentation = result;
        yield return last;

        List<AIContent> Contents(string text)
        {
            List<AIContent> contents = text.Length > 0 ? [new TextContent(text)] : [];
            for (; calls < parser.Calls.Count; calls++) contents.Add(CallOf(parser.Calls[calls]));
            return contents;
        }
    }

    /// <summary>The client itself, its <see cref="ChatClientMetadata"/>, and the <see cref="LanguageModel"/> or <see cref="ITextGenerator"/> behind it.</summary>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null) return null;
        if (serviceType.IsInstanceOfType(this)) return this;
        if (serviceType == typeof(ChatClientMetadata)) return new ChatClientMetadata(ProviderName, null, _model().Parts.Name);
        if (!typeof(ITextGenerator).IsAssignableFrom(serviceType)) return null;
        var generator = _model().Generator;
        return serviceType.IsInstanceOfType(generator) ? generator : null;
    }

    public void Dispose()
    {
        // The model is its host's.
    }

    private (IGeneration Generation, ChatPrompt Prompt, string Model) Start(IEnumerable<ChatMessage> messages, ChatOptions? options, bool isStreamed)
    {
        var (generator, parts) = _model();
        if (options?.ModelId is { } asked && asked != parts.Name) throw new ArgumentException($"model '{asked}' was asked for; this client's is '{parts.Name}'", nameof(options));
        if (options?.ConversationId is not null) throw new ArgumentException("conversations are not kept here: ConversationId is not supported", nameof(options));
        if (options?.ContinuationToken is not null) throw new ArgumentException("answers are not made in the background: ContinuationToken is not supported", nameof(options));
        var prompt = ChatPrompt.Create(parts, ChatOptionsMapping.PromptOf(messages, options, _time.GetUtcNow()));
        var generation = generator.Start(ChatOptionsMapping.RequestOf(prompt, options, isStreamed), out var failure);
        return (generation ?? throw new GenerationException(failure!), prompt, parts.Name);
    }

    private static void Check(GenerationResult result, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (result.Failure is { } failure) throw new GenerationException(failure);
    }

    // Properties of an update that names a message become the message's when updates are joined; a receipt is the response's.
    private static ChatResponseUpdate WithReceipt(ChatResponseUpdate update, IReadOnlyList<GenerationHead> heads)
    {
        update.MessageId = null;
        if (AnswerReceipt.Of(heads) is { } receipt) (update.AdditionalProperties ??= [])[AnswerReceipt.Key] = receipt;
        return update;
    }

    private static FunctionCallContent CallOf(ToolCall call)
    {
        var arguments = new Dictionary<string, object?>(StringComparer.Ordinal);
        using var document = JsonDocument.Parse(call.Arguments);
        foreach (var property in document.RootElement.EnumerateObject()) arguments[property.Name] = property.Value.Clone();
        return new FunctionCallContent(NewId("call"), call.Name, arguments);
    }

    private static ChatFinishReason ReasonOf(FinishReason finish, bool hasCalls) => finish switch
    {
        FinishReason.Length => ChatFinishReason.Length,
        FinishReason.Cancelled => new ChatFinishReason("cancelled"),
        _ => hasCalls ? ChatFinishReason.ToolCalls : ChatFinishReason.Stop,
    };

    private static UsageDetails UsageOf(GenerationUsage usage) => new()
    {
        InputTokenCount = usage.PromptTokens,
        OutputTokenCount = usage.CompletionTokens,
        TotalTokenCount = usage.PromptTokens + usage.CompletionTokens,
        CachedInputTokenCount = usage.CachedPromptTokens,
    };

    private static string IdOf(GenerationResult result) => result.Heads.Count > 0 ? $"chat_{result.Heads[^1].ReceiptId}" : NewId("chat");

    // Names within conversations: nothing is derived from them.
    private static string NewId(string kind) => $"{kind}_{RandomNumberGenerator.GetHexString(24, lowercase: true)}";
}
