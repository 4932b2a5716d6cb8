using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Generation;

namespace OpenGradient.Engine.Hosting.Chat;

/// <summary>What an answer's <c>AdditionalProperties</c> hold under <see cref="Key"/>: its signed heads. Immutable.</summary>
/// <param name="Heads">In order, at least one; the last commits to everything that was answered when it was signed.</param>
public sealed record AnswerReceipt(IReadOnlyList<AnswerHead> Heads)
{
    /// <summary>Name in <c>AdditionalProperties</c>.</summary>
    public const string Key = "og_receipt";

    public AnswerHead Last => Heads[^1];

    /// <summary>Name of the last head's receipt.</summary>
    public ReceiptId Id => Last.Id;

    /// <summary>The last head's receipt.</summary>
    public Receipt Receipt => Last.Receipt;

    /// <summary>The answer's receipt in an update or a response, or null.</summary>
    public static AnswerReceipt? In(IReadOnlyDictionary<string, object?>? properties) =>
        properties is not null && properties.TryGetValue(Key, out var value) ? value as AnswerReceipt : null;

    internal static AnswerReceipt? Of(IReadOnlyList<GenerationHead> heads) => heads.Count == 0 ? null : new AnswerReceipt([.. heads.Select(AnswerHead.Of)]);
}

/// <summary>A signed head over an answer so far.</summary>
/// <param name="Tokens">How many of the answer's tokens it commits to; null for another provider's answer, whose tokens are not known.</param>
/// <param name="IsLast">Whether it was signed at the answer's end.</param>
/// <param name="IsHandedOver">Whether settlement took the statement; otherwise the receipt is a promise that its holder can resubmit.</param>
public sealed record AnswerHead(ReceiptId Id, Receipt Receipt, int? Tokens, bool IsLast, bool IsHandedOver)
{
    internal static AnswerHead Of(GenerationHead head) => new(head.ReceiptId, head.Receipt, head.Tokens, head.Finish != FinishReason.None, head.IsHandedOver);
}
