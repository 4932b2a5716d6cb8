using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Attestation.Verification.History;
using OpenGradient.Engine.Attestation.Verification.Pki;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Attestation.Verification.Tdx;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Tdx;

using OpenGradient.Engine.Attestation.Verification;

/// <summary>
/// A guest on a platform of our own vendor. As it is made it is accepted; each edit happens before what has to be signed is signed, so
/// that only the check in question can object.
/// </summary>
internal sealed class MockTdx
{
    private static readonly ECDsa AttestationKey = MockIntel.NewKey();
    private static readonly byte[] Qe = Convert.FromHexString("939a7233f79c4ca9940a0db3957f0607");

    public readonly MockIntel Intel = new();
    public int Version = 5, BodyType = 3;
    public byte[] Svn = Numbers(7, 1, 3), Svn2 = Numbers(7, 1, 3);
    public Action<byte[]> Header = _ => { }, Body = _ => { }, QeReport = _ => { };
    public Func<byte[], byte[]> Quote = quote => quote;
    public Func<string, string> TcbInfo = json => json, QeIdentity = json => json, Bundle = json => json, Chain = pem => pem;
    public bool ForeignQeSignature, ForeignQuoteSignature, ForeignSignerRoot, HasCollateral = true, Separate;
    public DateTimeOffset Issued = MockIntel.Now.AddDays(-10), NextUpdate = MockIntel.Now.AddDays(10), At = MockIntel.Now;
    public string BundleName = "tdx-collateral.json";
    public string InfoFmspc = "50806F000000";
    public TdxPolicy? Policy = new() { Roots = [MockIntel.Digest(MockIntel.Root)], MrTd = [Hex(0x4d, 48)] };
    public DenyList Denied = DenyList.Empty;
    public ReadOnlyMemory<byte>? Nonce, ReportData;
    public CollateralLedger? History;
    public byte[]? EventLog;

    public static byte[] Numbers(params byte[] first) => [.. first, .. new byte[16 - first.Length]];

    public static string Hex(byte value, int count) => Convert.ToHexStringLower([.. Enumerable.Repeat(value, count)]);

    public AttestationResult Verify() => Verify(MakeQuote());

    public AttestationResult Verify(byte[] quote) => TdxVerifier.Verify(quote, Context());

    public VerificationContext Context() => new()
    {
        At = At, Policy = new EvidencePolicy { Tdx = Policy, Denied = Denied }, Nonce = Nonce, ReportData = ReportData, History = History,
        Collateral = MakeCollateral(),
    };

    private Dictionary<string, ReadOnlyMemory<byte>> MakeCollateral()
    {
        var files = !HasCollateral ? [] : Separate ? MakeFiles() : new Dictionary<string, ReadOnlyMemory<byte>> { [BundleName] = Encoding.UTF8.GetBytes(Bundle(MakeBundle())) };
        if (EventLog is { } log) files["ccel.bin"] = log;
        return files;
    }

    public byte[] MakeQuote()
    {
        byte[] signed = [.. MakeHeader(), .. MakeBody()];
        byte[] authentication = [.. Enumerable.Range(0, 32).Select(number => (byte)number)];
        var point = AttestationKey.ExportParameters(false).Q;
        byte[] key = [.. point.X!, .. point.Y!];
        var report = MakeQeReport([.. SHA256.HashData([.. key, .. authentication]), .. new byte[32]]);
        var authority = Intel.Authority();
        var chain = Encoding.ASCII.GetBytes(Chain(MockIntel.Pem(Intel.Pck(authority), authority, MockIntel.Root)));
        byte[] inner =
        [
            .. report, .. Sign(ForeignQeSignature ? AttestationKey : MockIntel.PckKey, report), .. U16(authentication.Length), .. authentication,
            .. U16(5), .. U32(chain.Length), .. chain,
        ];
        byte[] data = [.. Sign(ForeignQuoteSignature ? MockIntel.PckKey : AttestationKey, signed), .. key, .. U16(6), .. U32(inner.Length), .. inner];
        return Quote([.. signed, .. U32(data.Length), .. data]);
    }

    public string MakeBundle()
    {
        var (info, identity) = (TcbInfo(DefaultTcbInfo()), QeIdentity(DefaultQeIdentity()));
        return $$"""
            {"tcb_info":{{Text(info)}},"tcb_info_signature":"{{Signature(info)}}","tcb_info_issuer_chain":{{Text(SignerChain())}},
             "qe_identity":{{Text(identity)}},"qe_identity_signature":"{{Signature(identity)}}","qe_identity_issuer_chain":{{Text(SignerChain())}},
             "root_ca_crl":"{{Convert.ToHexStringLower(Intel.RootList())}}","pck_crl":"{{Convert.ToHexStringLower(Intel.PckList(Intel.Authority()))}}"}
            """;
    }

    private Dictionary<string, ReadOnlyMemory<byte>> MakeFiles()
    {
        var (info, identity) = (TcbInfo(DefaultTcbInfo()), QeIdentity(DefaultQeIdentity()));
        var chain = Encoding.ASCII.GetBytes(SignerChain());
        return new Dictionary<string, ReadOnlyMemory<byte>>
        {
            ["tcb-info.json"] = Encoding.UTF8.GetBytes($$"""{"tcbInfo":{{info}},"signature":"{{Signature(info)}}"}"""),
            ["qe-identity.json"] = Encoding.UTF8.GetBytes($$"""{"enclaveIdentity":{{identity}},"signature":"{{Signature(identity)}}"}"""),
            ["tcb-info-chain.pem"] = chain, ["qe-identity-chain.pem"] = chain, ["root-ca.crl"] = Intel.RootList(),
            ["pck.crl"] = Intel.PckList(Intel.Authority()),
        };
    }

    private string SignerChain()
    {
        var root = ForeignSignerRoot ? MockIntel.OtherRoot : MockIntel.Root;
        return MockIntel.Pem(Intel.Signer(root), root);
    }

    private byte[] MakeHeader()
    {
        byte[] header = [.. U16(Version), .. U16(2), .. U32(0x81), .. U32(0), .. Qe, .. new byte[20]];
        Header(header);
        return header;
    }

    private byte[] MakeBody()
    {
        var size = Version == 5 && BodyType == 3 ? 648 : 584;
        var body = new byte[size];
        Svn.CopyTo(body, 0);
        body.AsSpan(16, 48).Fill(0x5e);
        body[123] = 0x10;
        (body[128], body[129], body[130]) = (0xe7, 0x02, 0x06);
        body.AsSpan(136, 48).Fill(0x4d);
        for (var register = 0; register < 4; register++) body.AsSpan(328 + 48 * register, 48).Fill((byte)(0xa0 + register));
        body.AsSpan(520, 64).Fill(0xda);
        if (size == 648) Svn2.CopyTo(body, 584);
        Body(body);
        return Version == 5 ? [.. U16(BodyType), .. U32(size), .. body] : body;
    }

    private byte[] MakeQeReport(byte[] reportData)
    {
        var report = new byte[384];
        report[48] = 0x11;
        report.AsSpan(128, 32).Fill(0xdc);
        report[256] = 2;
        report[258] = 4;
        reportData.CopyTo(report, 320);
        QeReport(report);
        return report;
    }

    private string DefaultTcbInfo() => $$"""
        {"id":"TDX","version":3,"issueDate":"{{Time(Issued)}}","nextUpdate":"{{Time(NextUpdate)}}","fmspc":"{{InfoFmspc}}","pceId":"0000","tcbType":0,"tcbEvaluationDataNumber":18,
        "tdxModule":{"mrsigner":"{{Hex(0, 48)}}","attributes":"0000000000000000","attributesMask":"FFFFFFFFFFFFFFFF"},
        "tdxModuleIdentities":[{"id":"TDX_03","mrsigner":"{{Hex(0, 48)}}","attributes":"0000000000000000","attributesMask":"FFFFFFFFFFFFFFFF","tcbLevels":[{"tcb":{"isvsvn":3},"tcbDate":"2024-11-13T00:00:00Z","tcbStatus":"UpToDate"}]},
        {"id":"TDX_01","mrsigner":"{{Hex(0, 48)}}","attributes":"0000000000000000","attributesMask":"FFFFFFFFFFFFFFFF","tcbLevels":[{"tcb":{"isvsvn":6},"tcbDate":"2024-11-13T00:00:00Z","tcbStatus":"UpToDate"},
        {"tcb":{"isvsvn":4},"tcbDate":"2024-03-13T00:00:00Z","tcbStatus":"OutOfDate","advisoryIDs":["MODULE-1"]},{"tcb":{"isvsvn":3},"tcbDate":"2024-03-13T00:00:00Z","tcbStatus":"Revoked"}]}],
        "tcbLevels":[{{Level(3, 13, "UpToDate", "")}},{{Level(2, 5, "OutOfDate", "PLATFORM-1")}}]}
        """;

    private static string Level(int svn, int pce, string status, string advisory) => $$$"""
        {"tcb":{"sgxtcbcomponents":[{{{string.Join(',', Enumerable.Repeat($"{{\"svn\":{svn}}}", 16))}}}],"pcesvn":{{{pce}}},"tdxtcbcomponents":[{"svn":5},{"svn":0},{"svn":{{{svn}}}},{{{string.Join(',', Enumerable.Repeat("{\"svn\":0}", 13))}}}]},
        "tcbDate":"2024-11-13T00:00:00Z","tcbStatus":"{{{status}}}","advisoryIDs":[{{{(advisory.Length > 0 ? $"\"{advisory}\"" : "")}}}]}
        """;

    private string DefaultQeIdentity() => $$"""
        {"id":"TD_QE","version":2,"issueDate":"{{Time(Issued)}}","nextUpdate":"{{Time(NextUpdate)}}","tcbEvaluationDataNumber":18,"miscselect":"00000000","miscselectMask":"FFFFFFFF",
        "attributes":"11000000000000000000000000000000","attributesMask":"FBFFFFFFFFFFFFFF0000000000000000","mrsigner":"{{Hex(0xdc, 32)}}","isvprodid":2,
        "tcbLevels":[{"tcb":{"isvsvn":4},"tcbDate":"2024-11-13T00:00:00Z","tcbStatus":"UpToDate"},{"tcb":{"isvsvn":2},"tcbDate":"2024-01-01T00:00:00Z","tcbStatus":"OutOfDate","advisoryIDs":["QE-1"]}]}
        """;

    private static byte[] Sign(ECDsa key, byte[] data) => key.SignData(data, HashAlgorithmName.SHA256);

    private static string Signature(string json) => Convert.ToHexStringLower(MockIntel.Sign(Encoding.UTF8.GetBytes(json)));

    private static string Text(string text) => JsonSerializer.Serialize(text);

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");

    private static byte[] U16(int value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)value);
        return bytes;
    }

    private static byte[] U32(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return bytes;
    }
}
