namespace OpenGradient.Engine.Attestation.Verification;

/// <summary>The checks that evidence of any kind goes through, in about the order in which they are made. Closed.</summary>
public enum AttestationCheck
{
    /// <summary>Larger than evidence of its kind can be, or collateral larger than allowed. Nothing was parsed.</summary>
    Size,

    /// <summary>Not exactly the bytes of its format: truncated, trailing, duplicate, non-minimal where that is forbidden, of a wrong type.</summary>
    Encoding,

    /// <summary>A version, type, vendor or algorithm that is not supported.</summary>
    Version,

    /// <summary>A reserved field is not zero.</summary>
    Reserved,

    /// <summary>The signature over the statement, or over a part of it, does not hold.</summary>
    Signature,

    /// <summary>Certificates that do not lead from the signing key to the root.</summary>
    Chain,

    /// <summary>A certificate is not valid at the asked time.</summary>
    ChainTime,

    /// <summary>The chain's root is not pinned.</summary>
    Root,

    /// <summary>A certificate, or an issuer and serial number, is revoked or denied.</summary>
    Revoked,

    /// <summary>A revocation list is missing, out of date or older than one seen before.</summary>
    Revocation,

    /// <summary>Collateral is missing, does not hold, is out of date or does not belong to this platform.</summary>
    Collateral,

    /// <summary>Made after the asked time, outside its certificate's validity, or longer ago than the policy allows.</summary>
    Time,

    /// <summary>Not the nonce that was asked for, or one that was used before.</summary>
    Nonce,

    /// <summary>Does not bind the expected report data.</summary>
    ReportData,

    /// <summary>A measurement that the policy does not name, or all zeros.</summary>
    Measurement,

    /// <summary>A debug guest, enclave or device.</summary>
    Debug,

    /// <summary>A guest property that the policy forbids: migration, privilege level, attributes.</summary>
    Guest,

    /// <summary>Firmware below what the policy or the vendor's collateral asks for.</summary>
    Tcb,

    /// <summary>The product, chip or platform is not allowed.</summary>
    Platform,

    /// <summary>The attestation key itself: not restricted, not of this platform, not bound.</summary>
    Key,

    /// <summary>An event log that does not replay to the signed registers.</summary>
    EventLog,

    /// <summary>The policy does not accept evidence of this kind.</summary>
    Kind,
}
