namespace OpenGradient.Engine.Attestation.Interop;

/// <summary>The one place where a native status becomes an exception.</summary>
internal static class ShimStatus
{
    public const int Ok = 0;

    public static void Check(int status, in NativeError error)
    {
        if (status != Ok) throw Failure(status, NativeError.Describe(error), error.OsError);
    }

    /// <summary>For functions that give no sentence.</summary>
    public static void Check(int status, string what)
    {
        if (status != Ok) throw Failure(status, what, 0);
    }

    public static AttestationException Failure(int status, string what, int osError)
    {
        var code = Enum.IsDefined((AttestationFailure)status) ? (AttestationFailure)status : AttestationFailure.Crypto;
        return new AttestationException(code, what.Length > 0 ? what : $"the attestation shim failed: {code}", osError);
    }
}
