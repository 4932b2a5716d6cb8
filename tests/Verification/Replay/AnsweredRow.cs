using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Verification.Tests.Replay;

/// <summary>What a caller keeps of one request: what was sent, what came back, and the receipt as bytes.</summary>
internal sealed record AnsweredRow(byte[] ReceiptBytes, NamedTensor[] Inputs, KnownAnswer Answer, int BatchRows, int FirstSlot)
{
    /// <summary>Read from its bytes: nothing of the process that made it is left in it.</summary>
    public Receipt Receipt => Receipt.Decode(ReceiptBytes);

    public ReplayItem Item => new(Receipt, Inputs, Answer);

    public static async Task<AnsweredRow> From(InferenceEngine engine, string model, NamedTensor[] inputs)
    {
        var request = new InferenceRequest(model);
        foreach (var input in inputs) request.Add(input.Name, input.Type, input.Shape.Span, input.Data);
        using var result = await engine.InferAsync(request);
        return new AnsweredRow(result.Batch!.Receipt(result.RowIndex).Encode(), inputs, KnownAnswer.Of(result), result.BatchRows, result.FirstSlot);
    }
}
