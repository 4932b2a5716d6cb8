using System.Security.Cryptography;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Nitro;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nitro;

/// <summary>An enclave under a root of its own: every field of its documents can be replaced, and what has to be signed again is.</summary>
internal sealed record MockEnclave
{
    public static readonly DateTimeOffset At = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static readonly byte[] Nonce = [.. Enumerable.Range(0, 32).Select(i => (byte)i)], UserData = [.. Enumerable.Range(100, 64).Select(i => (byte)i)];

    public static readonly MockCertificate Root = MockCertificate.Root("nitro root");

    public static readonly MockCertificate Zone = Root.Issue("zone", MockShape.Authority(1)), Instance = Zone.Issue("instance", MockShape.Authority(0));

    public static readonly MockCertificate Leaf = Instance.Issue("enclave", MockShape.Leaf);

    public static readonly NitroPolicy Policy = new()
    {
        Roots = [Root.Digest],
        Pcrs = Enumerable.Range(0, 3).ToDictionary(i => i, i => (IReadOnlyList<string>)[Convert.ToHexStringLower(Pcr(i))]),
    };

    public static MockEnclave Right { get; } = new()
    {
        Fields =
        [
            ("module_id", CborBytes.Text("i-0123456789abcdef0-enc0123456789abcdef")), ("digest", CborBytes.Text("SHA384")),
            ("timestamp", CborBytes.Number((ulong)At.ToUnixTimeMilliseconds())), ("pcrs", Pcrs(Enumerable.Range(0, 16).Select(i => (CborBytes.Number((ulong)i), Pcr(i))))),
            ("certificate", CborBytes.Bytes(Leaf.Der)), ("cabundle", Bundle(Root, Zone, Instance)), ("public_key", CborBytes.Null),
            ("user_data", CborBytes.Bytes(UserData)), ("nonce", CborBytes.Bytes(Nonce)),
        ],
        Key = Leaf.Key,
    };

    public required IReadOnlyList<(string Name, byte[] Value)> Fields { get; init; }

    public required ECDsa Key { get; init; }

    public static byte[] Pcr(int index) => [.. Enumerable.Repeat((byte)(index + 1), 48)];

    public static byte[] Pcrs(IEnumerable<(byte[] Index, byte[] Value)> pcrs) => CborBytes.Map([.. pcrs.Select(pcr => (pcr.Index, CborBytes.Bytes(pcr.Value)))]);

    /// <summary>Sixteen PCRs, of which some are replaced; null leaves one out.</summary>
    public static byte[] PcrsWith(params (int Index, byte[]? Value)[] replaced)
    {
        var values = Enumerable.Range(0, 16).ToDictionary(i => i, byte[]? (i) => Pcr(i));
        foreach (var (index, value) in replaced) values[index] = value;
        return Pcrs(values.Where(pcr => pcr.Value is not null).Select(pcr => (CborBytes.Number((ulong)pcr.Key), pcr.Value!)));
    }

    public static byte[] Bundle(params MockCertificate[] rootFirst) => CborBytes.Array([.. rootFirst.Select(certificate => CborBytes.Bytes(certificate.Der))]);

    public static VerificationContext Context(NitroPolicy? policy = null, DateTimeOffset? at = null) => new()
    {
        At = at ?? At, Policy = new EvidencePolicy { Digest = Hash256.Sha256("policy"u8), Nitro = policy ?? Policy }, Nonce = Nonce, ReportData = UserData,
    };

    public MockEnclave With(string name, byte[] value) => this with { Fields = [.. Fields.Select(field => field.Name == name ? (name, value) : field)] };

    public MockEnclave Without(string name) => this with { Fields = [.. Fields.Where(field => field.Name != name)] };

    public MockEnclave And(string name, byte[] value) => this with { Fields = [.. Fields, (name, value)] };

    /// <summary>Under another leaf, and where it is given another bundle.</summary>
    public MockEnclave Under(MockCertificate leaf, params MockCertificate[] rootFirst)
    {
        var changed = With("certificate", CborBytes.Bytes(leaf.Der)) with { Key = leaf.Key };
        return rootFirst.Length == 0 ? changed : changed.With("cabundle", Bundle(rootFirst));
    }

    public (byte[] Key, byte[] Value)[] Entries => [.. Fields.Select(entry => (CborBytes.Text(entry.Name), entry.Value))];

    public byte[] Payload => CborBytes.Map(Entries);

    public byte[] Document() => Envelope(Payload);

    public byte[] Envelope(byte[] payload) => Envelope(payload, Sign(payload));

    public static byte[] Envelope(byte[] payload, byte[] signature) =>
        CborBytes.Array(CborBytes.Bytes([0xA1, 0x01, 0x38, 0x22]), CborBytes.Map(), CborBytes.Bytes(payload), CborBytes.Bytes(signature));

    public byte[] Sign(byte[] payload)
    {
        byte[] signed = CborBytes.Array(CborBytes.Text("Signature1"), CborBytes.Bytes([0xA1, 0x01, 0x38, 0x22]), CborBytes.Bytes([]), CborBytes.Bytes(payload));
        return Key.SignData(signed, HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }
}
