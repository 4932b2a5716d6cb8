using System.Text;
using OpenGradient.Engine.Attestation.Tests.Verification.Pki;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Policy;

public sealed class EvidencePolicyTests
{
    private static readonly string Digest = new('a', 64);

    [Fact]
    public void Policy_WithItsVersionAlone_AcceptsNoKind()
    {
        var policy = Parse("""{"version":1}""");
        Assert.Null(policy.Nitro);
        Assert.Null(policy.SevSnp);
        Assert.Null(policy.Tdx);
        Assert.Null(policy.Tpm);
        Assert.Null(policy.Nvidia);
        Assert.Equal(0, policy.Denied.Count);
    }

    [Fact]
    public void Policy_WithEverySection_HasEveryKind()
    {
        var policy = Parse("""{"version":1,"nitro":{},"sev-snp":{},"tdx":{},"tpm":{},"nvidia":{}}""");
        Assert.NotNull(policy.Nitro);
        Assert.NotNull(policy.SevSnp);
        Assert.NotNull(policy.Tdx);
        Assert.NotNull(policy.Tpm);
        Assert.NotNull(policy.Nvidia);
    }

    [Theory]
    [InlineData("""{"version":1,"nitro":{"roots":[],"roots":[]}}""", "names a field twice")]
    [InlineData("{\"version\":1,\n ]", "line 2, byte 2")]
    public void Policy_NotStrictJson_IsRefusedWithWhatIsWrong(string text, string words) =>
        Assert.Contains(words, Assert.Throws<PolicyException>(() => Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Digest_IsOfTheFilesBytes()
    {
        const string text = """{"version":1}""";
        Assert.Equal(Hash256.Sha256(Encoding.UTF8.GetBytes(text)), Parse(text).Digest);
        Assert.NotEqual(Parse(text).Digest, Parse(text + " ").Digest);
    }

    [Fact]
    public void Deny_WithIssuerAndSerial_IsCounted() => Assert.Equal(2, Parse($$"""{"version":1,"deny":[{"issuer":"{{Digest}}","serial":"00"},{"issuer":"{{Digest}}","serial":"0a01"}]}""").Denied.Count);

    [Theory]
    [InlineData("", "")]
    [InlineData("[]", "")]
    [InlineData("{}", "version")]
    [InlineData("""{"version":2}""", "version")]
    [InlineData("""{"version":"1"}""", "version")]
    [InlineData("""{"version":1.5}""", "version")]
    [InlineData("""{"version":1,"version":1}""", "")]
    [InlineData("""{"version":1,"Nitro":{}}""", "Nitro")]
    [InlineData("""{"version":1,"nitro":null}""", "nitro")]
    [InlineData("""{"version":1,"nitro":[]}""", "nitro")]
    [InlineData("""{"version":1,"nitro":{"surprise":1}}""", "nitro.surprise")]
    [InlineData("""{"version":1,"nitro":{"roots":"aa"}}""", "nitro.roots")]
    [InlineData("""{"version":1,"nitro":{"roots":["aa"]}}""", "nitro.roots[0]")]
    [InlineData("""{"version":1,"nitro":{"roots":[1]}}""", "nitro.roots[0]")]
    [InlineData("""{"version":1,"deny":{}}""", "deny")]
    [InlineData("""{"version":1,"deny":[1]}""", "deny[0]")]
    [InlineData("""{"version":1,"deny":[{"serial":"00"}]}""", "deny[0].issuer")]
    [InlineData("""{"version":1} {}""", "")]
    [InlineData("""{"version":1,}""", "")]
    [InlineData("""{"version":1 /* why */}""", "")]
    [InlineData("""{"version":1,"\ud800":1}""", "")]
    [InlineData("""{"version":1,"tpm":{"a":{"b":{"c":{"d":{"e":{"f":{"g":{}}}}}}}}}""", "")]
    public void Policy_NotStrict_IsRefusedByPath(string text, string path) => Assert.Equal(path, Assert.Throws<PolicyException>(() => Parse(text)).Path);

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("0000")]
    [InlineData("000a")]
    [InlineData("0A")]
    [InlineData("0x0a")]
    public void Deny_WithASerialSpeltOtherwise_IsRefused(string serial) =>
        Assert.Equal("deny[0].serial", Assert.Throws<PolicyException>(() => Parse($$"""{"version":1,"deny":[{"issuer":"{{Digest}}","serial":"{{serial}}"}]}""")).Path);

    [Fact]
    public void Policy_OfAHugeFile_IsRefusedUnread() => Assert.Throws<PolicyException>(() => EvidencePolicy.Parse(new byte[EvidencePolicy.LargestFile + 1]));

    [Fact]
    public void Fuzz_OfSpoiltPolicies_ThrowsNothingElse()
    {
        var text = Encoding.UTF8.GetBytes($$"""{"version":1,"nitro":{"roots":["{{Digest}}"]},"sev-snp":{},"deny":[{"issuer":"{{Digest}}","serial":"0a"}]}""");
        var random = new Random(4);
        var inputs = Vectors.Inputs;
        for (var i = 0; i < inputs; i++)
        {
            try
            {
                EvidencePolicy.Parse(Spoiler.Spoil(text, random));
            }
            catch (PolicyException)
            {
            }
        }

        Console.WriteLine($"policies: {inputs} spoilt inputs");
    }

    private static EvidencePolicy Parse(string text) => EvidencePolicy.Parse(Encoding.UTF8.GetBytes(text));
}
