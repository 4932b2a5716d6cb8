using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Verification.Pki;

/// <summary>How a certificate or a list is signed (RFC 5480, 4055). Other algorithms are not known here.</summary>
internal enum SignatureKind
{
    Ecdsa,
    RsaPkcs1,
    RsaPss,
}

/// <summary>A signature algorithm with SHA-256 or better. A PSS salt is as long as the hash, with MGF1 over the same hash.</summary>
internal readonly record struct SignatureScheme(SignatureKind Kind, HashAlgorithmName Hash)
{
    private const string Pss = "1.2.840.113549.1.1.10";
    private const string Mgf1 = "1.2.840.113549.1.1.8";

    /// <returns>Null for an algorithm that is not known.</returns>
    /// <exception cref="AsnContentException">Not an AlgorithmIdentifier.</exception>
    public static SignatureScheme? Read(ReadOnlyMemory<byte> algorithm)
    {
        var outer = new AsnReader(algorithm, AsnEncodingRules.DER);
        var reader = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        var identifier = reader.ReadObjectIdentifier();
        if (identifier == Pss) return ReadPss(reader);
        SignatureScheme? scheme = identifier switch
        {
            "1.2.840.10045.4.3.2" => new(SignatureKind.Ecdsa, HashAlgorithmName.SHA256),
            "1.2.840.10045.4.3.3" => new(SignatureKind.Ecdsa, HashAlgorithmName.SHA384),
            "1.2.840.10045.4.3.4" => new(SignatureKind.Ecdsa, HashAlgorithmName.SHA512),
            "1.2.840.113549.1.1.11" => new(SignatureKind.RsaPkcs1, HashAlgorithmName.SHA256),
            "1.2.840.113549.1.1.12" => new(SignatureKind.RsaPkcs1, HashAlgorithmName.SHA384),
            "1.2.840.113549.1.1.13" => new(SignatureKind.RsaPkcs1, HashAlgorithmName.SHA512),
            _ => null,
        };
        if (scheme is null) return null;
        if (scheme.Value.Kind == SignatureKind.RsaPkcs1) reader.ReadNull();
        reader.ThrowIfNotEmpty();
        return scheme;
    }

    /// <summary>False also where the key is of another type or cannot be used.</summary>
    public bool Holds(X509Certificate2 signer, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        try
        {
            if (Kind == SignatureKind.Ecdsa)
            {
                using var curve = signer.GetECDsaPublicKey();
                return curve is not null && curve.VerifyData(data, signature, Hash, DSASignatureFormat.Rfc3279DerSequence);
            }

            using var rsa = signer.GetRSAPublicKey();
            return rsa is not null && rsa.VerifyData(data, signature, Hash, Kind == SignatureKind.RsaPss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    // RFC 4055, 3.1. The defaults are SHA-1, so every field must be there. AMD writes the trailer, although DER leaves a default out.
    private static SignatureScheme? ReadPss(AsnReader reader)
    {
        var fields = reader.ReadSequence();
        reader.ThrowIfNotEmpty();
        if (!Next(fields, 0) || ReadHash(Unwrap(fields, 0)) is not { } hash) return null;
        if (!Next(fields, 1)) return null;
        var mask = Unwrap(fields, 1);
        var generator = mask.ReadSequence();
        mask.ThrowIfNotEmpty();
        if (generator.ReadObjectIdentifier() != Mgf1 || ReadHash(generator) != hash) return null;
        if (!Next(fields, 2) || !ReadSmall(Unwrap(fields, 2), out var salt) || salt != SizeOf(hash)) return null;
        if (Next(fields, 3) && (!ReadSmall(Unwrap(fields, 3), out var trailer) || trailer != 1)) return null;
        fields.ThrowIfNotEmpty();
        return new SignatureScheme(SignatureKind.RsaPss, hash);
    }

    private static bool Next(AsnReader reader, int tag) => reader.HasData && reader.PeekTag().HasSameClassAndValue(new Asn1Tag(TagClass.ContextSpecific, tag, true));

    private static AsnReader Unwrap(AsnReader reader, int tag) => reader.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, tag, true));

    private static bool ReadSmall(AsnReader reader, out int value)
    {
        var isRead = reader.TryReadInt32(out value);
        reader.ThrowIfNotEmpty();
        return isRead;
    }

    // Consumes the reader.
    private static HashAlgorithmName? ReadHash(AsnReader reader)
    {
        var algorithm = reader.ReadSequence();
        reader.ThrowIfNotEmpty();
        HashAlgorithmName? hash = algorithm.ReadObjectIdentifier() switch
        {
            "2.16.840.1.101.3.4.2.1" => HashAlgorithmName.SHA256,
            "2.16.840.1.101.3.4.2.2" => HashAlgorithmName.SHA384,
            "2.16.840.1.101.3.4.2.3" => HashAlgorithmName.SHA512,
            _ => null,
        };
        if (algorithm.HasData) algorithm.ReadNull();
        algorithm.ThrowIfNotEmpty();
        return hash;
    }

    private static int SizeOf(HashAlgorithmName hash) => hash == HashAlgorithmName.SHA256 ? 32 : hash == HashAlgorithmName.SHA384 ? 48 : 64;
}
