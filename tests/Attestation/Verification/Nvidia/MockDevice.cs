using System.Buffers.Binary;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using OpenGradient.Engine.Attestation.Tests.Verification.Nitro;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Nvidia;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nvidia;

/// <summary>A device under a root of its own: every part of its reports can be replaced, and what has to be signed again is.</summary>
internal sealed record MockDevice
{
    public static readonly DateTimeOffset At = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static readonly byte[] Nonce = [.. Enumerable.Range(0, 32).Select(i => (byte)i)], FirmwareId = [.. Enumerable.Repeat((byte)7, 48)];

    public static readonly MockCertificate Root = MockCertificate.Root("device root"), Maker = Root.Issue("maker", MockShape.Authority(null)), Boot = Maker.Issue("boot", MockShape.Authority(null));

    public static readonly MockCertificate Leaf = Boot.Issue("GH100", Shape("NVIDIA:GH100:48B02DF44660DA06", Identity(FirmwareId)));

    public static readonly NvidiaPolicy Policy = new() { Roots = [Root.Digest], RequireManifests = false, RequireRevocation = false };

    public static MockDevice Right { get; } = new();

    public byte[] Request { get; init; } = [0x11, 0xE0, 0x01, 0xFF, .. Nonce, 0];

    public byte[] Head { get; init; } = [0x11, 0x60, 0, 0];

    public IReadOnlyList<byte[]> Blocks { get; init; } = [.. Enumerable.Range(1, 64).Select(index => Block(index, Digest(index)))];

    public byte? BlockCount { get; init; }

    public IReadOnlyList<(int Type, byte[] Value)> Opaque { get; init; } = [(6, [0, 0xA5, 0, 0x96]), (3, [.. "590.12"u8, 0]), (20, FirmwareId)];

    public MockCertificate Signer { get; init; } = Leaf;

    public static byte[] Digest(int index) => [.. Enumerable.Repeat((byte)index, 48)];

    public static byte[] Block(int index, byte[] digest, byte specification = 1, int excess = 0) =>
        [(byte)index, specification, .. Number(digest.Length + 3 + excess), 0x33, .. Number(digest.Length), .. digest];

    public static byte[] Number(int value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)value);
        return bytes;
    }

    public static string Pem(params MockCertificate[] leafFirst) => string.Join('\n', leafFirst.Select(certificate => PemEncoding.WriteString("CERTIFICATE", certificate.Der)));

    public static VerificationContext Context(NvidiaPolicy? policy = null, string? chain = null) => new()
    {
        At = At, Policy = new EvidencePolicy { Digest = Hash256.Sha256("policy"u8), Nvidia = policy ?? Policy }, Nonce = Nonce,
        Collateral = new Dictionary<string, ReadOnlyMemory<byte>> { [NvidiaVerifier.ChainName] = Encoding.ASCII.GetBytes(chain ?? Pem(Leaf, Boot, Maker, Root)) },
    };

    public byte[] Unsigned()
    {
        byte[] blocks = [.. Blocks.SelectMany(block => block)], opaque = [.. Opaque.SelectMany(field => (byte[])[.. Number(field.Type), .. Number(field.Value.Length), .. field.Value])];
        return
        [
            .. Request, .. Head, BlockCount ?? (byte)Blocks.Count, (byte)blocks.Length, (byte)(blocks.Length >> 8), 0, .. blocks,
            .. Enumerable.Repeat((byte)9, 32), .. Number(opaque.Length), .. opaque,
        ];
    }

    public byte[] Report() => Sign(Unsigned());

    public byte[] Sign(byte[] signed) => [.. signed, .. Signer.Key.SignData(signed, HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)];

    public static MockShape Shape(string name, X509Extension? identity) => new()
    {
        Usage = X509KeyUsageFlags.DigitalSignature, Extensions = identity is null ? [DeviceName(name)] : [DeviceName(name), identity],
    };

    /// <summary>As Hopper carries it.</summary>
    public static X509Extension Identity(byte[] firmware)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(1);
            using (writer.PushSequence()) writer.WriteNull();
            WriteFirmware(writer, firmware);
        }

        return new X509Extension("2.23.133.5.4.1", writer.Encode(), false);
    }

    /// <summary>As Blackwell carries it.</summary>
    public static X509Extension TcbInfo(byte[] firmware)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteOctetString("NVIDIA"u8, new Asn1Tag(TagClass.ContextSpecific, 0));
            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 6)))
            {
                WriteFirmware(writer, firmware);
                WriteFirmware(writer, new byte[48]);
            }
        }

        return new X509Extension("2.23.133.5.4.1.1", writer.Encode(), false);
    }

    private static void WriteFirmware(AsnWriter writer, byte[] firmware)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier("2.16.840.1.101.3.4.2.2");
            writer.WriteOctetString(firmware);
        }
    }

    private static X509Extension DeviceName(string name)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        var context0 = new Asn1Tag(TagClass.ContextSpecific, 0);
        using (writer.PushSequence())
        using (writer.PushSequence(context0))
        {
            writer.WriteObjectIdentifier("1.3.6.1.4.1.412.274.1");
            using (writer.PushSequence(context0)) writer.WriteCharacterString(UniversalTagNumber.UTF8String, name);
        }

        return new X509Extension("2.5.29.17", writer.Encode(), false);
    }
}
