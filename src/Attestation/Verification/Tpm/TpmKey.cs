using System.Security.Cryptography;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification.Tpm;

/// <summary>A public key that signs quotes. Exactly one of the two parameters is set.</summary>
internal sealed record TpmKey
{
    private const uint FixedTpm = 1 << 1, FixedParent = 1 << 4, SensitiveDataOrigin = 1 << 5, Restricted = 1 << 16, Decrypt = 1 << 17, Sign = 1 << 18;
    private const uint Known = 0x000f0cf6, DefaultExponent = 65537;
    private const int LargestPolicy = 64;

    public RSAParameters? Rsa { get; init; }

    public ECParameters? Curve { get; init; }

    /// <summary>000b ‖ SHA-256 of TPMT_PUBLIC; null for a bare key.</summary>
    public byte[]? Name { get; init; }

    public uint Attributes { get; init; }

    /// <summary>The scheme and its hash that the key is bound to; null: a bare key says none.</summary>
    public (ushort Scheme, ushort Hash)? Scheme { get; init; }

    /// <returns>Null, with a reason, where it is not exactly a key that is supported.</returns>
    public static TpmKey? Read(TpmEvidence evidence, ReasonList reasons)
    {
        try
        {
            return evidence.Form == TpmKeyForm.Public ? ReadPublic(evidence.Key.Span) : ReadBare(evidence.Key.Span);
        }
        catch (FormatException error)
        {
            reasons.Refuse(AttestationCheck.Encoding, error.Message);
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException or NotSupportedException)
        {
            reasons.Refuse(AttestationCheck.Encoding, "attestation key: not a public key");
        }

        return null;
    }

    /// <summary>A key without "restricted" signs any bytes, and so any quote that somebody made up.</summary>
    public void CheckAttributes(ReasonList reasons)
    {
        if (Name is null) return;
        const uint Asked = FixedTpm | FixedParent | SensitiveDataOrigin | Restricted | Sign;
        if ((Attributes & Asked) != Asked) reasons.Refuse(AttestationCheck.Key, $"the attestation key's attributes are {Attributes:x8}; {Asked:x8} are asked for");
        if ((Attributes & Decrypt) != 0) reasons.Refuse(AttestationCheck.Key, "the attestation key decrypts too");
        if ((Attributes & ~Known) != 0) reasons.Refuse(AttestationCheck.Reserved, $"reserved bits of the attestation key's attributes are set: {Attributes:x8}");
    }

    // TPMT_PUBLIC (Part 2, 12.2.4).
    private static TpmKey ReadPublic(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes, "attestation key");
        var (type, nameHash, attributes) = (reader.U16(), reader.U16(), reader.U32());
        if (nameHash != TpmAlgorithm.Sha256) throw new FormatException($"attestation key: named by algorithm {nameHash:x4}, not SHA-256");
        Sized(ref reader, LargestPolicy);
        if (reader.U16() != TpmAlgorithm.None) throw new FormatException("attestation key: a symmetric algorithm, as only storage keys have");
        var scheme = (Scheme: reader.U16(), Hash: reader.U16());
        var key = type switch
        {
            TpmAlgorithm.Rsa => new TpmKey { Rsa = ReadRsa(ref reader) },
            TpmAlgorithm.Ecc => new TpmKey { Curve = ReadCurve(ref reader) },
            _ => throw new FormatException($"attestation key: of type {type:x4}"),
        };
        reader.End();
        return Checked(key with { Name = [0, (byte)TpmAlgorithm.Sha256, .. SHA256.HashData(bytes)], Attributes = attributes, Scheme = scheme });
    }

    private static RSAParameters ReadRsa(ref ByteReader reader)
    {
        var (bits, exponent) = (reader.U16(), reader.U32());
        if (bits is not (2048 or 3072 or 4096) || exponent is not (0 or DefaultExponent)) throw new FormatException($"attestation key: RSA of {bits} bits, exponent {exponent}");
        var modulus = Sized(ref reader, bits / 8);
        if (modulus.Length != bits / 8 || (modulus[0] & 0x80) == 0) throw new FormatException("attestation key: a modulus of another size");
        return new RSAParameters { Modulus = modulus, Exponent = [1, 0, 1] };
    }

    private static ECParameters ReadCurve(ref ByteReader reader)
    {
        var curve = reader.U16();
        var size = curve switch { TpmAlgorithm.CurveP256 => 32, TpmAlgorithm.CurveP384 => 48, _ => throw new FormatException($"attestation key: curve {curve:x4}") };
        if (reader.U16() != TpmAlgorithm.None) throw new FormatException("attestation key: a key derivation scheme");
        var (x, y) = (Padded(Sized(ref reader, size), size), Padded(Sized(ref reader, size), size));
        return new ECParameters { Curve = size == 32 ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384, Q = new ECPoint { X = x, Y = y } };
    }

    private static TpmKey ReadBare(ReadOnlySpan<byte> bytes)
    {
        try
        {
            using var rsa = RSA.Create();
            rsa.ImportSubjectPublicKeyInfo(bytes, out var read);
            if (read != bytes.Length || rsa.KeySize is < 2048 or > 4096) throw new FormatException("attestation key: trailing bytes, or of another size");
            var parameters = rsa.ExportParameters(false);
            return parameters.Exponent is [1, 0, 1] ? new TpmKey { Rsa = parameters } : throw new FormatException("attestation key: an exponent other than 65537");
        }
        catch (CryptographicException)
        {
            using var curve = ECDsa.Create();
            curve.ImportSubjectPublicKeyInfo(bytes, out var read);
            if (read != bytes.Length || curve.KeySize is not (256 or 384)) throw new FormatException("attestation key: trailing bytes, or another curve");
            return new TpmKey { Curve = curve.ExportParameters(false) };
        }
    }

    // The platform's library refuses a point that is not on the curve.
    private static TpmKey Checked(TpmKey key)
    {
        if (key.Curve is { } curve) ECDsa.Create(curve).Dispose();
        return key;
    }

    public static byte[] Padded(ReadOnlySpan<byte> number, int size)
    {
        var padded = new byte[size];
        number.CopyTo(padded.AsSpan(size - number.Length));
        return padded;
    }

    private static byte[] Sized(ref ByteReader reader, int largest)
    {
        var size = reader.U16();
        return size <= largest ? reader.Take(size).ToArray() : throw new FormatException($"attestation key: a field of {size} bytes");
    }
}
