using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Tests.Verification;

public sealed class PlatformEvidenceTests
{
    private static readonly DateTimeOffset At = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(PlatformKind.Nitro, "nitro")]
    [InlineData(PlatformKind.SevSnp, "sev-snp")]
    [InlineData(PlatformKind.Tdx, "tdx")]
    [InlineData(PlatformKind.Tpm, "tpm")]
    [InlineData(PlatformKind.Nvidia, "nvidia")]
    public void Kind_AsText_IsReadBack(PlatformKind kind, string text)
    {
        Assert.Equal(text, kind.Text());
        Assert.Equal(kind, PlatformEvidence.Parse(text));
    }

    [Fact]
    public void Guess_OfFirstBytes_IsTheirKind()
    {
        var report = new byte[1184];
        report[0] = 3;
        Assert.Equal(PlatformKind.SevSnp, PlatformEvidence.Guess(report));
        Assert.Null(PlatformEvidence.Guess(report.AsSpan(1)));
        Assert.Equal(PlatformKind.Tdx, PlatformEvidence.Guess([4, 0, 2, 0, 0x81, 0, 0, 0, 1]));
        Assert.Null(PlatformEvidence.Guess([4, 0, 2, 0, 0x82, 0, 0, 0, 1]));
        Assert.Equal(PlatformKind.Nitro, PlatformEvidence.Guess([0x84, 0x44, 0xa1, 1, 0x38, 0x22, 0xa0, 0]));
        Assert.Equal(PlatformKind.Nvidia, PlatformEvidence.Guess([0x11, 0xe0, 1, 0xff, 0, 0, 0, 0]));
        Assert.Equal(PlatformKind.Tpm, PlatformEvidence.Guess("OGE tpm v1\0\0"u8));
        Assert.Null(PlatformEvidence.Guess([]));
    }

    // Of a version or form that is refused: its verifier says so, where the caller need not know the kind.
    [Fact]
    public void Guess_OfEvidenceThatItsVerifierRefuses_IsItsKind()
    {
        var (report, quote) = (new byte[1184], new byte[48]);
        report[0] = 99;
        Convert.FromHexString("939a7233f79c4ca9940a0db3957f0607").CopyTo(quote, 12);
        Assert.Equal(PlatformKind.SevSnp, PlatformEvidence.Guess(report));
        Assert.Equal(PlatformKind.Tdx, PlatformEvidence.Guess(quote));
        Assert.Equal(PlatformKind.Tdx, PlatformEvidence.Guess([6, 0, 3, 0, 0x81, 0, 0, 0]));
        Assert.Equal(PlatformKind.Nvidia, PlatformEvidence.Guess([0x11, 0x60, 0, 0, 0x40, 0, 0, 0]));
        Assert.Equal(PlatformKind.Nitro, PlatformEvidence.Guess([0xd2, 0xd2, 0x84, 0x44, 0xa1, 1, 0x38, 0x22]));
        Assert.Equal(PlatformKind.Nitro, PlatformEvidence.Guess([0x85, 0x44, 0xa1, 1, 0x38, 0x22, 0xa0, 0]));
        (report[0], report[0x34]) = (3, 1);
        Assert.Equal(PlatformKind.SevSnp, PlatformEvidence.Guess(report.AsSpan(0, 1000)));
    }

    [VectorTheory]
    [InlineData(PlatformKind.Nitro, "nitro", "anjuna-20230921.cose")]
    [InlineData(PlatformKind.SevSnp, "snp", "ms-turin-v5.report.bin")]
    [InlineData(PlatformKind.Nvidia, "nvidia", "hopper-590.report.bin")]
    public void Guess_OfCapturedEvidence_IsItsKind(PlatformKind kind, string folder, string file) => Assert.Equal(kind, PlatformEvidence.Guess(Vectors.Read(folder, file)));

    [Fact]
    public void Json_OfAResult_HasEveryName()
    {
        var result = new AttestationResult
        {
            Status = AttestationStatus.Refused, Reasons = [new AttestationReason(AttestationCheck.ChainTime, "late")], Policy = Hash256.Zero, At = At, Identity = Hash256.Zero,
            Claims = new AttestationClaims { Kind = "tdx", Measurements = new Dictionary<string, string> { ["mrtd"] = "00" }, Nonce = new byte[] { 1 } },
        };
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream)) AttestationJson.Write(writer, result);
        Assert.Equal(
            $$$"""{"status":"refused","reasons":[{"check":"chain-time","detail":"late"}],"identity":"{{{Hash256.Zero}}}","policy":"{{{Hash256.Zero}}}","at":"2026-06-01T12:00:00Z","claims":{"kind":"tdx","product":null,"measurements":{"mrtd":"00"},"debug":null,"tcb":null,"advisories":[],"time":null,"reportData":"","nonce":"01","publicKey":null,"chip":null,"boot":null}}""",
            Encoding.UTF8.GetString(stream.ToArray()));
    }
}
