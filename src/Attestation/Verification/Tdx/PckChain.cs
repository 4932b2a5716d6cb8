using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.Attestation.Verification.Pki;

namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>The quote's certificates. Owns them.</summary>
internal sealed class PckChain : IDisposable
{
    private const int Certificates = 3;

    private readonly X509Certificate2[] _path;

    private PckChain(X509Certificate2[] path, PckExtension platform) => (_path, Platform) = (path, platform);

    public X509Certificate2 Leaf => _path[0];

    public X509Certificate2 Authority => _path[1];

    public X509Certificate2 Root => _path[2];

    public PckExtension Platform { get; }

    /// <returns>Null where they cannot be read as such a chain; otherwise the reasons say what is wrong with it.</returns>
    public static PckChain? Read(TdxQuote quote, VerificationContext context, TdxPolicy policy, ReasonList reasons)
    {
        if (quote.Certificates.Count != Certificates)
        {
            reasons.Refuse(AttestationCheck.Chain, $"{quote.Certificates.Count} certificates, not {Certificates}");
            return null;
        }

        if (CertificatePath.Check(quote.Certificates, context.At, Rules(context, policy, Certificates), reasons) is not { } path) return null;
        if (!CommonName.Is(path[0], CommonName.Pck)) reasons.Refuse(AttestationCheck.Chain, "the leaf is not a PCK certificate by its name");
        if (!CommonName.Is(path[1], CommonName.PlatformAuthority, CommonName.ProcessorAuthority))
            reasons.Refuse(AttestationCheck.Chain, "the leaf's issuer is not a PCK authority by its name");
        if (PckExtension.Read(path[0], reasons) is { } platform) return new PckChain(path, platform);
        foreach (var certificate in path) certificate.Dispose();
        return null;
    }

    public static PathRules Rules(VerificationContext context, TdxPolicy policy, int certificates) => new()
    {
        Keys = KeyRule.P256, Roots = policy.Roots, Denied = context.Policy.Denied, MostCertificates = certificates,
    };

    public void Dispose()
    {
        foreach (var certificate in _path) certificate.Dispose();
    }
}
