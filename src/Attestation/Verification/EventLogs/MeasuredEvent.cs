namespace OpenGradient.Engine.Attestation.Verification.EventLogs;

/// <summary>One event of a log: what it extended, and by which digest of the chosen bank.</summary>
/// <param name="Register">As the log numbers registers.</param>
/// <param name="Type">TCG's event type; 3 extends nothing.</param>
internal readonly record struct MeasuredEvent(uint Register, uint Type, byte[] Digest, byte[] Data)
{
    /// <summary>EV_NO_ACTION: information, not a measurement.</summary>
    public const uint NoAction = 3;
}
