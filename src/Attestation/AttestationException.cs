namespace OpenGradient.Engine.Attestation;

/// <summary>Why the shim did not do what was asked, as og_attest.h numbers it.</summary>
public enum AttestationFailure
{
    NullArgument = 1,
    OutOfRange = 2,
    BufferTooSmall = 3,
    BadKey = 4,
    BadSignature = 5,

    /// <summary>The attester asked for does not work on this machine.</summary>
    Unavailable = 6,
    EpochEnded = 7,

    /// <summary>The shim will not do it: equivocation, a secret file that others can read, a replaced library.</summary>
    Refused = 8,

    /// <summary>A system call failed; <see cref="AttestationException.OsError"/> is its errno.</summary>
    System = 9,
    Crypto = 10,
}

/// <summary>The shim or a key file refused. The message names what was wrong and never a secret.</summary>
public sealed class AttestationException : Exception
{
    public AttestationException(AttestationFailure status, string message, int osError = 0) : base(message)
    {
        Status = status;
        OsError = osError;
    }

    public AttestationException() { }

    public AttestationException(string message) : base(message) { }

    public AttestationException(string message, Exception innerException) : base(message, innerException) { }

    public AttestationFailure Status { get; }

    /// <summary>errno, or 0.</summary>
    public int OsError { get; }
}

/// <summary>No usable libog_attest.so was found; the message names every path that was tried or what was wrong with the one found.</summary>
public sealed class ShimLoadException : Exception
{
    public ShimLoadException(string path, string reason) : base($"attestation shim {path}: {reason}") => Path = path;

    public ShimLoadException() { }

    public ShimLoadException(string message) : base(message) { }

    public ShimLoadException(string message, Exception innerException) : base(message, innerException) { }

    /// <summary>The library that was refused, or null when none was found.</summary>
    public string? Path { get; }
}
