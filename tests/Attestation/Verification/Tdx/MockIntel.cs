using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Tdx;

using OpenGradient.Engine.Attestation.Verification;

/// <summary>A vendor of our own: root, PCK authority, PCK and signer of collateral, with lists. Set what should differ, then ask.</summary>
internal sealed class MockIntel
{
    public static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly ECDsa RootKey = NewKey(), AuthorityKey = NewKey(), SignerKey = NewKey(), OtherKey = NewKey();
    private static readonly byte[] PckSerial = [0x11, 2, 3], AuthoritySerial = [0x22, 2, 3], SignerSerial = [0x33, 2, 3];

    public string AuthorityName = "Mock SGX PCK Platform CA", PckName = "Mock SGX PCK Certificate", SignerName = "Mock SGX TCB Signing";
    public byte[] Components = [.. Enumerable.Repeat((byte)3, 16)];
    public int PceSvn = 13;
    public byte[] Fmspc = [0x50, 0x80, 0x6f, 0, 0, 0], PceId = [0, 0], Ppid = [.. Enumerable.Range(1, 16).Select(number => (byte)number)];
    public Kind Type = Kind.Scalable;
    public bool[]? Flags = [true, true, true];
    public DateTimeOffset PckUntil = Now.AddYears(1), ListFrom = Now.AddDays(-10), PckListUntil = Now.AddDays(10), RootListUntil = Now.AddDays(10);
    public bool HasExtension = true, IsLeafAuthority, PckListByOther, RepeatsFmspc;
    public bool RevokesPck, RevokesAuthority, RevokesSigner;

    /// <summary>SGX Type, with a value that there is not.</summary>
    public enum Kind
    {
        Standard,
        Scalable,
        Integrity,
        Unknown,
    }

    public static ECDsa PckKey { get; } = NewKey();

    /// <summary>The root of everything; its digest goes into the policy.</summary>
    public static X509Certificate2 Root { get; } = NewRoot("Mock SGX Root CA", RootKey);

    public static X509Certificate2 OtherRoot { get; } = NewRoot("Mock SGX Root CA", OtherKey);

    public static string Digest(X509Certificate2 certificate) => Convert.ToHexStringLower(SHA256.HashData(certificate.RawData));

    public static string Pem(params X509Certificate2[] certificates) => string.Join('\n', certificates.Select(certificate => certificate.ExportCertificatePem())) + "\n";

    public X509Certificate2 Authority()
    {
        var request = Request(AuthorityName, AuthorityKey);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        return request.Create(Root, Now.AddYears(-2), Now.AddYears(5), AuthoritySerial).CopyWithPrivateKey(AuthorityKey);
    }

    public X509Certificate2 Pck(X509Certificate2 authority)
    {
        var request = Leaf(PckName, PckKey, IsLeafAuthority);
        if (HasExtension) request.CertificateExtensions.Add(new X509Extension("1.2.840.113741.1.13.1", Extension(), false));
        return request.Create(authority, Now.AddYears(-1), PckUntil, PckSerial);
    }

    public X509Certificate2 Signer(X509Certificate2? root = null) =>
        Leaf(SignerName, SignerKey, false).Create(root ?? Root, Now.AddYears(-1), Now.AddYears(1), SignerSerial);

    public static byte[] Sign(byte[] data) => SignerKey.SignData(data, HashAlgorithmName.SHA256);

    public byte[] RootList()
    {
        var list = new CertificateRevocationListBuilder();
        list.AddEntry([0x7f]);
        if (RevokesAuthority) list.AddEntry(AuthoritySerial);
        if (RevokesSigner) list.AddEntry(SignerSerial);
        return list.Build(Root, BigInteger.One, RootListUntil, HashAlgorithmName.SHA256, null, ListFrom);
    }

    public byte[] PckList(X509Certificate2 authority)
    {
        var list = new CertificateRevocationListBuilder();
        if (RevokesPck) list.AddEntry(PckSerial);
        var issuer = PckListByOther ? Root : authority;
        return list.Build(issuer, BigInteger.One, PckListUntil, HashAlgorithmName.SHA256, null, ListFrom);
    }

    public static ECDsa NewKey() => ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private static X509Certificate2 NewRoot(string name, ECDsa key)
    {
        var request = Request(name, key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 1, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        return request.CreateSelfSigned(Now.AddYears(-3), Now.AddYears(10));
    }

    private static CertificateRequest Leaf(string name, ECDsa key, bool isAuthority)
    {
        var request = Request(name, key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.NonRepudiation, true));
        return request;
    }

    private static CertificateRequest Request(string name, ECDsa key)
    {
        var request = new CertificateRequest($"CN={name}, O=Mock, C=US", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request;
    }

    private byte[] Extension()
    {
        const string oid = "1.2.840.113741.1.13.1";
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            Field(oid + ".1", () => writer.WriteOctetString(Ppid));
            Field(oid + ".2", () =>
            {
                using (writer.PushSequence())
                {
                    for (var index = 0; index < Components.Length; index++)
                    {
                        var value = Components[index];
                        Field($"{oid}.2.{index + 1}", () => writer.WriteInteger(value));
                    }

                    Field(oid + ".2.17", () => writer.WriteInteger(PceSvn));
                    Field(oid + ".2.18", () => writer.WriteOctetString(new byte[16]));
                }
            });
            Field(oid + ".3", () => writer.WriteOctetString(PceId));
            Field(oid + ".4", () => writer.WriteOctetString(Fmspc));
            if (RepeatsFmspc) Field(oid + ".4", () => writer.WriteOctetString(Fmspc));
            Field(oid + ".5", () => writer.WriteEnumeratedValue(Type));
            if (Flags is { } flags) Field(oid + ".7", () => WriteFlags(writer, flags));
        }

        return writer.Encode();

        void Field(string name, Action value)
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(name);
                value();
            }
        }
    }

    private static void WriteFlags(AsnWriter writer, bool[] flags)
    {
        using (writer.PushSequence())
        {
            for (var index = 0; index < flags.Length; index++)
            {
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier($"1.2.840.113741.1.13.1.7.{index + 1}");
                    writer.WriteBoolean(flags[index]);
                }
            }
        }
    }
}
