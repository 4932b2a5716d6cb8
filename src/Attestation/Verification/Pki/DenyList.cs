using System.Security.Cryptography;

namespace OpenGradient.Engine.Attestation.Verification.Pki;

/// <summary>Certificates that are not accepted although their vendor has not revoked them, by issuer and serial number.</summary>
public sealed class DenyList
{
    private readonly HashSet<(string Issuer, string Serial)> _entries;

    /// <param name="entries">
    /// SHA-256 of the DER of the issuer's name, and the serial number without leading zero bytes (zero itself: "00"); both lower-case hexadecimal.
    /// </param>
    public DenyList(IEnumerable<(string Issuer, string Serial)> entries) => _entries = [.. entries];

    /// <summary>Denies nothing.</summary>
    public static DenyList Empty { get; } = new([]);

    public int Count => _entries.Count;

    internal bool Denies(ReadOnlyMemory<byte> issuer, ReadOnlyMemory<byte> serial) => _entries.Count > 0 && _entries.Contains(KeyOf(issuer, serial));

    /// <summary>The entry that would deny a certificate of this issuer's name and serial number.</summary>
    internal static (string Issuer, string Serial) KeyOf(ReadOnlyMemory<byte> issuer, ReadOnlyMemory<byte> serial) =>
        (Convert.ToHexStringLower(SHA256.HashData(issuer.Span)), Convert.ToHexStringLower(DerFields.Significant(serial.Span)));
}
