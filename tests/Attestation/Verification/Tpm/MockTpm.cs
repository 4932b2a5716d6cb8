using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Attestation.Verification.Tpm;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Tpm;

/// <summary>How the mock signs.</summary>
public enum MockScheme
{
    EcdsaP256,
    EcdsaP384,
    RsaSsa,
    RsaPss,
}

/// <summary>A TPM and its maker's certificates in memory. Every field of a quote can be chosen, and is signed as chosen.</summary>
internal sealed record MockTpm
{
    public static readonly DateTimeOffset At = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);
    public static readonly byte[] Nonce = SHA256.HashData("nonce"u8);
    private static readonly byte[] Template = Convert.FromHexString(
        "0001000b000300b20020837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa00060080004300100800000000000100");

    private static readonly byte[] CurveTemplate = Convert.FromHexString(
        "0023000b000300b20020837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa000600800043001000030010");

    private static readonly RSA EndorsementKey = RSA.Create(2048), RsaKey = RSA.Create(2048);
    private static readonly ECDsa RootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256), P256Key = ECDsa.Create(ECCurve.NamedCurves.nistP256), P384Key = ECDsa.Create(ECCurve.NamedCurves.nistP384);

    public MockScheme Scheme { get; init; } = MockScheme.EcdsaP256;
    public uint Attributes { get; init; } = 0x00050072;
    public uint Magic { get; init; } = 0xff544347;
    public ushort Type { get; init; } = 0x8018;
    public byte[] ExtraData { get; init; } = Nonce;
    public byte Safe { get; init; } = 1;
    public uint Resets { get; init; } = 5;
    public uint Restarts { get; init; }
    public ushort Hash { get; init; } = 0x000b;
    public ushort Bank { get; init; } = 0x000b;
    public int[] Selection { get; init; } = [0, 7, 16];
    public int Banks { get; init; } = 1;
    public byte[]? RegisterDigest { get; init; }
    public byte[] Trailing { get; init; } = [];
    public bool IsPrimary { get; init; } = true;

    /// <summary>Whether the endorsement key is on P-256 instead of RSA.</summary>
    public bool IsEndorsedOnCurve { get; init; }

    public byte[]? QualifiedSigner { get; init; }
    public byte[] EventLog { get; init; } = [];
    public string Usage { get; init; } = "2.23.133.8.1";
    public bool HasEndorsement { get; init; } = true;
    public DateTimeOffset EndorsementEnds { get; init; } = At.AddYears(5);
    public TpmKeyForm Form { get; init; } = TpmKeyForm.Public;
    public SortedDictionary<int, byte[]> Registers { get; init; } = new() { [0] = SHA256.HashData("zero"u8), [7] = SHA256.HashData("seven"u8), [16] = SHA256.HashData("sixteen"u8) };

    public static X509Certificate2 Root { get; } = MakeRoot();

    /// <summary>The endorsement key on P-256.</summary>
    public static ECDiffieHellman CurveEndorsementKey { get; } = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);

    private bool IsRsa => Scheme is MockScheme.RsaSsa or MockScheme.RsaPss;

    private ushort SchemeId => Scheme switch { MockScheme.RsaSsa => 0x0014, MockScheme.RsaPss => 0x0016, _ => 0x0018 };

    private HashAlgorithmName HashName => Hash switch { 0x0004 => HashAlgorithmName.SHA1, 0x000c => HashAlgorithmName.SHA384, 0x000d => HashAlgorithmName.SHA512, _ => HashAlgorithmName.SHA256 };

    private ECDsa Curve => Scheme == MockScheme.EcdsaP384 ? P384Key : P256Key;

    public byte[] Public()
    {
        var writer = new ByteWriter().U16(IsRsa ? 0x0001 : 0x0023).U16(0x000b).U32(Attributes).U16(0).U16(0x0010).U16(SchemeId).U16(Hash);
        if (IsRsa) return Sized(writer.U16(2048).U32(0), RsaKey.ExportParameters(false).Modulus!).ToArray();
        var point = Curve.ExportParameters(false).Q;
        return Sized(Sized(writer.U16(Scheme == MockScheme.EcdsaP384 ? 4 : 3).U16(0x0010), point.X!), point.Y!).ToArray();
    }

    public byte[] Bare() => IsRsa ? RsaKey.ExportSubjectPublicKeyInfo() : Curve.ExportSubjectPublicKeyInfo();

    public byte[] Name() => [0, 0x0b, .. SHA256.HashData(Public())];

    public byte[] Values() => [.. Selection.SelectMany(index => Registers[index])];

    public byte[] Quote()
    {
        var bits = new byte[3];
        foreach (var index in Selection) bits[index / 8] |= (byte)(1 << (index % 8));
        var writer = Sized(Sized(new ByteWriter().U32(Magic).U16(Type), QualifiedSigner ?? Descent()), ExtraData)
            .U64(77).U32(Resets).U32(Restarts).U8(Safe).U64(0x2020031200120003).U32((uint)Banks);
        for (var i = 0; i < Banks; i++) writer.U16(Bank).U8(3).Bytes(bits);
        return Sized(writer, RegisterDigest ?? CryptographicOperations.HashData(HashName, Values())).Bytes(Trailing).ToArray();
    }

    public byte[] Sign(byte[] quote)
    {
        var writer = new ByteWriter().U16(SchemeId).U16(Hash);
        if (IsRsa) return Sized(writer, RsaKey.SignData(quote, HashName, Scheme == MockScheme.RsaPss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1)).ToArray();
        var signature = Curve.SignData(quote, HashName, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return Sized(Sized(writer, signature.AsSpan(0, signature.Length / 2)), signature.AsSpan(signature.Length / 2)).ToArray();
    }

    /// <summary>PSS with SHA-256 and the longest salt that fits, as many TPMs sign (RFC 8017, 9.1.1).</summary>
    public static byte[] SignWithLongestSalt(byte[] quote)
    {
        var salt = RandomNumberGenerator.GetBytes(256 - 32 - 2);
        var digest = SHA256.HashData([.. new byte[8], .. SHA256.HashData(quote), .. salt]);
        byte[] block = [1, .. salt];
        for (var i = 0; i < block.Length; i++) block[i] ^= SHA256.HashData([.. digest, 0, 0, 0, (byte)(i / 32)])[i % 32];
        block[0] &= 0x7f;
        var key = RsaKey.ExportParameters(true);
        var signed = BigInteger.ModPow(Number([.. block, .. digest, 0xbc]), Number(key.D!), Number(key.Modulus!)).ToByteArray(isUnsigned: true, isBigEndian: true);
        return Sized(new ByteWriter().U16(0x0016).U16(0x000b), [.. new byte[256 - signed.Length], .. signed]).ToArray();
    }

    private static BigInteger Number(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    public TpmEvidence Evidence()
    {
        var quote = Quote();
        return new TpmEvidence
        {
            Form = Form, Key = Form == TpmKeyForm.Public ? Public() : Bare(), Quote = quote, Signature = Sign(quote), Registers = Values(),
            Endorsement = HasEndorsement ? [MakeEndorsement(), Root.RawData] : [], EventLog = EventLog,
        };
    }

    public TpmPolicy Policy() => new()
    {
        Roots = [Convert.ToHexStringLower(SHA256.HashData(Root.RawData))], Keys = [Convert.ToHexStringLower(Name())], Selection = Selection,
        Registers = Selection.Order().ToDictionary(index => index, index => (IReadOnlyList<string>)[Convert.ToHexStringLower(Registers[index])]),
    };

    public static VerificationContext Context(TpmPolicy? policy) => new() { At = At, Nonce = Nonce, Policy = new EvidencePolicy { Tpm = policy } };

    public AttestationResult Verify() => TpmVerifier.Verify(Evidence().Encode(), Context(Policy()));

    public static ByteWriter Sized(ByteWriter writer, ReadOnlySpan<byte> bytes) => writer.U16(bytes.Length).Bytes(bytes);

    private byte[] Descent()
    {
        byte[] hierarchy = [0x40, 0, 0, 0x0b];
        if (IsPrimary) return Below(hierarchy, Name());
        byte[] endorsement = [0, 0x0b, .. SHA256.HashData(IsEndorsedOnCurve ? OnCurve() : [.. Template, .. EndorsementKey.ExportParameters(false).Modulus!])];
        return Below(Below(hierarchy, endorsement), Name());

        byte[] OnCurve()
        {
            var point = CurveEndorsementKey.ExportParameters(false).Q;
            return [.. CurveTemplate, 0, 32, .. point.X!, 0, 32, .. point.Y!];
        }
    }

    private static byte[] Below(byte[] parent, byte[] name) => [0, 0x0b, .. SHA256.HashData([.. parent, .. name])];

    public byte[] MakeEndorsement() => MakeEndorsement(IsEndorsedOnCurve ? CurveEndorsementKey : EndorsementKey);

    /// <summary>A certificate for a TPM's own endorsement key.</summary>
    public byte[] MakeEndorsement(AsymmetricAlgorithm key)
    {
        var request = new CertificateRequest(new X500DistinguishedName("CN=endorsement"), new PublicKey(key), HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(key is RSA ? X509KeyUsageFlags.KeyEncipherment : X509KeyUsageFlags.KeyAgreement, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(Usage)], false));
        using var certificate = request.Create(Root.SubjectName, X509SignatureGenerator.CreateForECDsa(RootKey), At.AddYears(-1), EndorsementEnds, [1, 2, 3]);
        return certificate.RawData;
    }

    private static X509Certificate2 MakeRoot()
    {
        var request = new CertificateRequest("CN=maker", RootKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        return request.CreateSelfSigned(At.AddYears(-2), At.AddYears(20));
    }
}
