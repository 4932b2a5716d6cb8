using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>Which of Intel's certificates one is. They differ by common name alone.</summary>
internal static class CommonName
{
    public const string Pck = "SGX PCK Certificate", PlatformAuthority = "SGX PCK Platform CA", ProcessorAuthority = "SGX PCK Processor CA";
    public const string TcbSigning = "SGX TCB Signing";

    private const string Oid = "2.5.4.3";

    /// <summary>True where the subject has exactly one common name, and it ends in one of these words.</summary>
    public static bool Is(X509Certificate2 certificate, params ReadOnlySpan<string> words)
    {
        string? name = null;
        try
        {
            foreach (var part in certificate.SubjectName.EnumerateRelativeDistinguishedNames())
            {
                if (part.HasMultipleElements) return false;
                if (part.GetSingleElementType().Value != Oid) continue;
                if (name is not null) return false;
                name = part.GetSingleElementValue();
            }
        }
        catch (CryptographicException)
        {
            return false;
        }

        if (name is null) return false;
        foreach (var word in words)
        {
            if (name.EndsWith(word, StringComparison.Ordinal)) return true;
        }

        return false;
    }
}
