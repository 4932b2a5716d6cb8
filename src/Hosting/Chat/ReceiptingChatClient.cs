using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Hosting.Chat;

/// <summary>How another provider's answers are signed. Immutable.</summary>
public sealed record ReceiptingOptions
{
    /// <summary>Name of the provider in statements. Null: what the inner client says of itself, else <c>unknown</c>.</summary>
    public string? Provider { get; init; }

    /// <summary>While streaming, a head at least so often. Default one second, as for this host's own models.</summary>
    public TimeSpan HeadEvery { get; init; } = TimeSpan.FromSeconds(1);
}

/// <summary>What signs, and who takes what was signed.</summary>
/// <param name="Sink">Null: receipts stay promises that their holders can resubmit.</param>
public sealed record ReceiptingServices(IBatchSealer Sealer, ISealedBatchSink? Sink);

/// <summary>
/// Adds receipts to another provider's answers. What is signed is that this host saw this request and this answer of that
/// provider and model: not that the model computed it. Determinism class U, backend <c>external</c> (docs/formats.md, "Row of
/// another provider's answer"). The <see cref="AnswerReceipt"/> is in <c>AdditionalProperties</c> under <see cref="AnswerReceipt.Key"/>.
/// </summary>
public sealed class ReceiptingChatClient : DelegatingChatClient
{
    private readonly Func<ReceiptingServices> _services;
    private readonly TimeProvider _time;
    private readonly ReceiptingOptions _options;

    /// <param name="innerClient">The other provider's; disposed with this one.</param>
    public ReceiptingChatClient(IChatClient innerClient, ReceiptingServices services, TimeProvider time, ReceiptingOptions? options = null)
        : this(innerClient, () => services, time, options) => ArgumentNullException.ThrowIfNull(services);

    /// <param name="services">Asked at every call: a host signs only once it has started.</param>
    internal ReceiptingChatClient(IChatClient innerClient, Func<ReceiptingServices> services, TimeProvider time, ReceiptingOptions? options) : base(innerClient)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_services, _time, _options) = (services, time, options ?? new ReceiptingOptions());
    }

    /// <exception cref="SealingException">No receipt could be signed, so there is no answer.</exception>
    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        // Enumerated once: what is signed is what was sent.
        ChatMessage[] sent = [.. messages];
        var sealing = Begin(sent, options);
        var response = await InnerClient.GetResponseAsync(sent, options, cancellationToken).ConfigureAwait(false);
        var head = sealing.Seal(ContextOf(response.ModelId ?? options?.ModelId), ExternalRow.Answer(response), ExternalRow.Ended);
        (response.AdditionalProperties ??= [])[AnswerReceipt.Key] = new AnswerReceipt([head]);
        return response;
    }

    /// <exception cref="SealingException">No receipt could be signed, so the answer ends here.</exception>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ChatMessage[] sent = [.. messages];
        var sealing = Begin(sent, options);
        var (updates, heads) = (new List<ChatResponseUpdate>(), new List<AnswerHead>());
        var last = _time.GetTimestamp();
        await foreach (var update in InnerClient.GetStreamingResponseAsync(sent, options, cancellationToken).ConfigureAwait(false))
        {
            // A copy: whoever reads the stream may change what it got, and what is signed must not follow.
            updates.Add(update.Clone());
            updates[^1].Contents = [.. update.Contents];
            yield return update;
            if (_time.GetElapsedTime(last) < _options.HeadEvery) continue;
            heads.Add(Seal(sealing, updates, options, ExternalRow.Part));
            yield return ReceiptOf(heads, update);
            last = _time.GetTimestamp();
        }

        heads.Add(Seal(sealing, updates, options, ExternalRow.Ended));
        yield return ReceiptOf(heads, updates.LastOrDefault());
    }

    // An update of its own, which names no message: when updates are joined its properties become the response's.
    private static ChatResponseUpdate ReceiptOf(List<AnswerHead> heads, ChatResponseUpdate? after) => new()
    {
        Role = ChatRole.Assistant,
        ResponseId = after?.ResponseId,
        ModelId = after?.ModelId,
        AdditionalProperties = new AdditionalPropertiesDictionary { [AnswerReceipt.Key] = new AnswerReceipt([.. heads]) },
    };

    private ExternalSealing Begin(ChatMessage[] messages, ChatOptions? options)
    {
        var services = _services();
        // Before the call: callers may add to their messages while it runs.
        return new ExternalSealing(services.Sealer, services.Sink, ExternalRow.Messages(messages), ExternalRow.Options(options));
    }

    private AnswerHead Seal(ExternalSealing sealing, List<ChatResponseUpdate> updates, ChatOptions? options, byte finish)
    {
        var response = updates.ToChatResponse();
        return sealing.Seal(ContextOf(response.ModelId ?? options?.ModelId), ExternalRow.Answer(response), finish);
    }

    private StatementContext ContextOf(string? model)
    {
        var metadata = InnerClient.GetService(typeof(ChatClientMetadata)) as ChatClientMetadata;
        return ExternalSealing.Context(_options.Provider ?? metadata?.ProviderName ?? "unknown", metadata?.ProviderUri, model ?? metadata?.DefaultModelId ?? "unknown");
    }
}
