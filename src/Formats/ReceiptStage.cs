namespace OpenGradient.Engine.Formats;

/// <summary>Where a receipt stands on its way to finality. Later stages have larger numbers.</summary>
public enum ReceiptStage
{
    /// <summary>Answered and signed: a promise that its holder can resubmit.</summary>
    Executed = 0,

    /// <summary>On disk; from here on it survives every crash.</summary>
    Durable = 1,

    /// <summary>Bytes, signature, epoch and evidence were checked again.</summary>
    Verified = 2,

    /// <summary>A checkpoint that covers it is in a block.</summary>
    Anchored = 3,

    /// <summary>That block is final under the operator's rule.</summary>
    Final = 4,

    /// <summary>A check failed: never anchored, kept with its reasons.</summary>
    Quarantined = 5,

    /// <summary>A reorganisation below the finality rule undid its anchor; it is being anchored again.</summary>
    Reopened = 6,
}
