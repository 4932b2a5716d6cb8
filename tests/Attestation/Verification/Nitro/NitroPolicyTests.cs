using System.Text;
using OpenGradient.Engine.Attestation.Verification.Nitro;
using OpenGradient.Engine.Attestation.Verification.Policy;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nitro;

public sealed class NitroPolicyTests
{
    private static readonly string Value = new('a', 96);

    private static NitroPolicy Parse(string section) => EvidencePolicy.Parse(Encoding.UTF8.GetBytes($$"""{"version":1,"nitro":{{section}}}""")).Nitro!;

    [Fact]
    public void Parse_EmptySection_TrustsTheVendorsRootAndNamesNoImage()
    {
        var policy = Parse("{}");
        Assert.Equal([NitroPolicy.AwsRoot], policy.Roots);
        Assert.Empty(policy.Pcrs);
        Assert.True(policy.RequireMeasurements);
        Assert.False(policy.AllowDebug);
    }

    [Fact]
    public void Parse_EveryField_IsRead()
    {
        var policy = Parse($$"""{"roots":["{{new string('b', 64)}}"],"pcrs":{"0":["{{Value}}"],"8":["{{Value}}"]},"requireMeasurements":false,"allowDebug":true,"maximumAgeSeconds":60,"maximumSkewSeconds":2}""");
        Assert.Equal([new string('b', 64)], policy.Roots);
        Assert.Equal([0, 8], policy.Pcrs.Keys.Order());
        Assert.Equal([Value], policy.Pcrs[8]);
        Assert.False(policy.RequireMeasurements);
        Assert.True(policy.AllowDebug);
        Assert.Equal((60, 2), (policy.MaximumAge.TotalSeconds, policy.MaximumSkew.TotalSeconds));
    }

    [Theory]
    [InlineData("""{"pcr0":[]}""")]
    [InlineData("""{"pcrs":{"00":["V"]}}""")]
    [InlineData("""{"pcrs":{"32":["V"]}}""")]
    [InlineData("""{"pcrs":{"-1":["V"]}}""")]
    [InlineData("""{"pcrs":{"0":[]}}""")]
    [InlineData("""{"pcrs":{"0":["abcd"]}}""")]
    [InlineData("""{"pcrs":["V"]}""")]
    [InlineData("""{"maximumAgeSeconds":0}""")]
    [InlineData("""{"allowDebug":"no"}""")]
    public void Parse_AnythingElse_IsRefused(string section) => Assert.Throws<PolicyException>(() => Parse(section.Replace("V", Value)));
}
