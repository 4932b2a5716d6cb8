using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Hosting;

/// <summary>When an answer is handed to its caller.</summary>
public enum ReleasePolicy
{
    /// <summary>At once: the receipt is a signed promise. The default.</summary>
    Fast = ReceiptStage.Executed,
    Durable = ReceiptStage.Durable,
    Verified = ReceiptStage.Verified,
    Anchored = ReceiptStage.Anchored,
    Final = ReceiptStage.Final,
}

public static class ReleasePolicies
{
    /// <summary>Parses <c>fast</c>, <c>durable</c>, <c>verified</c>, <c>anchored</c> or <c>final</c>.</summary>
    public static bool TryParse(string? text, out ReleasePolicy policy)
    {
        ReleasePolicy? parsed = text switch
        {
            "fast" => ReleasePolicy.Fast,
            "durable" => ReleasePolicy.Durable,
            "verified" => ReleasePolicy.Verified,
            "anchored" => ReleasePolicy.Anchored,
            "final" => ReleasePolicy.Final,
            _ => null,
        };
        policy = parsed ?? ReleasePolicy.Fast;
        return parsed is not null;
    }

    /// <summary>A stage's name on the wire.</summary>
    public static string Text(this ReceiptStage stage) => stage switch
    {
        ReceiptStage.Executed => "executed",
        ReceiptStage.Durable => "durable",
        ReceiptStage.Verified => "verified",
        ReceiptStage.Anchored => "anchored",
        ReceiptStage.Final => "final",
        ReceiptStage.Quarantined => "quarantined",
        ReceiptStage.Reopened => "reopened",
        _ => "unknown",
    };
}
