using System.Security.Cryptography.X509Certificates;
using System.Text;
using OpenGradient.Engine.Attestation.Tests.Verification.Nitro;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Nvidia;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nvidia;

/// <summary>Everything here is rightly signed; only the bytes are not exactly the format's.</summary>
public sealed class SpdmReportTests(Xunit.Abstractions.ITestOutputHelper output)
{
    private static readonly VerificationContext Context = MockDevice.Context();

    public static TheoryData<string> Forms =>
    [
        "request code", "unsigned request", "one block asked for", "slot 8", "response version", "response code", "response parameter", "other slot", "no blocks", "block count",
        "block size", "block specification", "block zero", "block twice", "short digest", "opaque twice", "opaque size", "trailing", "truncated", "no request",
    ];

    private static byte[] Form(string how)
    {
        var right = MockDevice.Right;
        byte[] request = right.Request, report = right.Report();
        byte[] Spoiled(int at, byte value)
        {
            var unsigned = right.Unsigned();
            unsigned[at] = value;
            return right.Sign(unsigned);
        }

        return how switch
        {
            "request code" => Spoiled(1, 0xE1),
            "unsigned request" => Spoiled(2, 0),
            "one block asked for" => Spoiled(3, 1),
            "slot 8" => Spoiled(36, 8),
            "response version" => Spoiled(37, 0x12),
            "response code" => Spoiled(38, 0x61),
            "response parameter" => Spoiled(39, 1),
            "other slot" => Spoiled(40, 1),
            "no blocks" => (right with { Blocks = [] }).Report(),
            "block count" => (right with { BlockCount = 63 }).Report(),
            "block size" => (right with { Blocks = [MockDevice.Block(1, MockDevice.Digest(1), excess: 1)] }).Report(),
            "block specification" => (right with { Blocks = [MockDevice.Block(1, MockDevice.Digest(1), 2)] }).Report(),
            "block zero" => (right with { Blocks = [MockDevice.Block(0, MockDevice.Digest(1))] }).Report(),
            "block twice" => (right with { Blocks = [MockDevice.Block(1, MockDevice.Digest(1)), MockDevice.Block(1, MockDevice.Digest(1))] }).Report(),
            "short digest" => (right with { Blocks = [MockDevice.Block(1, new byte[47])] }).Report(),
            "opaque twice" => (right with { Opaque = [(3, [1]), (3, [1])] }).Report(),
            "opaque size" => right.Sign([.. right.Unsigned(), 0]),
            "trailing" => [.. report, 0],
            "truncated" => report[..^1],
            _ => report[request.Length..],
        };
    }

    [Theory, MemberData(nameof(Forms))]
    public void Verify_ReportOfAnotherForm_IsRefusedForItsEncoding(string how) => Judged.RefusedFor(AttestationCheck.Encoding, NvidiaVerifier.Verify(Form(how), Context));

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 0x12, 0xE0 })]
    [InlineData(new byte[] { 0x11 })]
    public void Verify_OtherVersion_IsRefusedForIt(byte[] report) => Judged.RefusedFor(AttestationCheck.Version, NvidiaVerifier.Verify(report, Context));

    [Fact]
    public void Verify_SpoiledReport_NeverThrowsAndNeverAcceptsAnother()
    {
        const int Seed = 51;
        var spoiled = new SpoiledBytes(Seed);
        // A chain that fails to read at once: what is spoiled here is the report, and signatures would only cost time.
        var context = MockDevice.Context(chain: "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
        byte[][] reports = [MockDevice.Right.Report(), (MockDevice.Right with { Blocks = [MockDevice.Block(1, MockDevice.Digest(1))] }).Report()];
        for (var i = 0; i < SpoiledBytes.Inputs; i++)
            Assert.False(Judged.IsAccepted(NvidiaVerifier.Verify(spoiled.From(reports), context)), $"input {i}, seed {Seed}");
        output.WriteLine($"{SpoiledBytes.Inputs} spoiled reports, seed {Seed}");
    }

    [Fact]
    public void Verify_SpoiledChain_NeverThrowsAndNeverAcceptsAnother()
    {
        const int Seed = 52;
        var spoiled = new SpoiledBytes(Seed);
        var report = MockDevice.Right.Report();
        var right = Context.Collateral[NvidiaVerifier.ChainName].ToArray();
        var inputs = SpoiledBytes.Inputs / 20;
        for (var i = 0; i < inputs; i++)
        {
            var chain = spoiled.From([right]);
            var result = NvidiaVerifier.Verify(report, Context with { Collateral = new Dictionary<string, ReadOnlyMemory<byte>> { [NvidiaVerifier.ChainName] = chain } });
            Assert.True(!Judged.IsAccepted(result) || IsSame(chain, right), $"input {i}, seed {Seed}");
        }

        output.WriteLine($"{inputs} spoiled chains, seed {Seed}");
    }

    [Fact]
    public void Verify_AnyFlippedBit_IsRefused() =>
        output.WriteLine($"{BitFlips.AllRefused(MockDevice.Right.Report(), 400, flipped => NvidiaVerifier.Verify(flipped, Context))} bits");

    // White space and the unused bits of the last letter may differ.
    private static bool IsSame(byte[] one, byte[] other) => Certificates(one).SequenceEqual(Certificates(other));

    private static IEnumerable<string> Certificates(byte[] pem)
    {
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPem(Encoding.ASCII.GetString(pem));
        return certificates.Select(certificate => certificate.Thumbprint);
    }
}
