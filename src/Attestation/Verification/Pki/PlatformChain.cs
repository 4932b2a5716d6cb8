using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Verification.Pki;

/// <summary>The platform's own verification as a second opinion on a path that this program found good.</summary>
internal static class PlatformChain
{
    // Times are judged to the second elsewhere, and critical extensions by the rules' own list.
    private const X509ChainStatusFlags JudgedElsewhere = X509ChainStatusFlags.NotTimeValid | X509ChainStatusFlags.HasNotSupportedCriticalExtension;

    /// <summary>What the platform objects to; null where it finds exactly this path.</summary>
    public static string? Object(X509Certificate2[] leafToRoot, DateTimeOffset at)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(leafToRoot[^1]);
        chain.ChainPolicy.ExtraStore.AddRange(leafToRoot);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = at.UtcDateTime;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        try
        {
            chain.Build(leafToRoot[0]);
            var found = chain.ChainElements;
            var status = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, one) => all | one.Status) & ~JudgedElsewhere;
            if (status != X509ChainStatusFlags.NoError) return $"the platform's verification says {status}";
            // .NET looks for issuers in the user's stores too; only the given path counts.
            var isSame = found.Count == leafToRoot.Length && found.Zip(leafToRoot).All(pair => pair.First.Certificate.RawDataMemory.Span.SequenceEqual(pair.Second.RawDataMemory.Span));
            return isSame ? null : "the platform's verification finds another path";
        }
        catch (CryptographicException)
        {
            return "the platform's verification could not be made";
        }
        finally
        {
            foreach (var element in chain.ChainElements) element.Certificate.Dispose();
        }
    }
}
