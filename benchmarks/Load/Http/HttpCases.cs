using OpenGradient.Engine.Load.InProcess;
using OpenGradient.Engine.Load.Receipts;

namespace OpenGradient.Engine.Load.Http;

internal sealed record HttpSummary(double? Rate, string? Reason, ReceiptCount Receipts)
{
    public static HttpSummary Skipped(string reason) => new(null, reason, default);
}

internal static class HttpCases
{
    public static Task<HttpSummary> RunAsync(LoadOptions options, InputSet inputs, SealingKeys keys) => Task.FromResult(HttpSummary.Skipped("stub"));
}
