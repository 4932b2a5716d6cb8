using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Verification.Pki;

/// <summary>A certificate revocation list (RFC 5280), read strictly. .NET has no reader that verifies one.</summary>
internal sealed class RevocationList
{
    public DateTimeOffset ThisUpdate => throw new NotImplementedException();

    /// <summary>Never absent: a list without it would hold for ever, and is refused.</summary>
    public DateTimeOffset NextUpdate => throw new NotImplementedException();

    /// <param name="der">At most 1 MiB.</param>
    /// <returns>Null, with a reason (Revocation), where it is not one.</returns>
    public static RevocationList? Read(ReadOnlyMemory<byte> der, string name, ReasonList reasons) => throw new NotImplementedException();

    /// <summary>Checks issuer, signature and validity at the time; reasons are Revocation.</summary>
    public void Check(X509Certificate2 issuer, DateTimeOffset at, string name, ReasonList reasons) => throw new NotImplementedException();

    public bool Lists(X509Certificate2 certificate) => throw new NotImplementedException();
}
