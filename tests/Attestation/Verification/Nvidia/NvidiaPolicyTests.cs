using System.Text;
using OpenGradient.Engine.Attestation.Verification.Nvidia;
using OpenGradient.Engine.Attestation.Verification.Policy;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nvidia;

public sealed class NvidiaPolicyTests
{
    private static readonly string Root = new('a', 64), Digest = new('b', 96);

    private static NvidiaPolicy Read(string section) => EvidencePolicy.Parse(Encoding.UTF8.GetBytes($$"""{"version":1,"nvidia":{{section}}}""")).Nvidia!;

    [Fact]
    public void Read_EmptySection_IsTheStrictDefault()
    {
        var policy = Read("{}");
        Assert.Equal([NvidiaPolicy.DeviceRoot], policy.Roots);
        Assert.Equal([NvidiaPolicy.ManifestRoot], policy.ManifestRoots);
        Assert.Equal(["GH100", "GB100"], policy.Products);
        Assert.True(policy.RequireManifests && policy.RequireRevocation);
        Assert.Equal(TimeSpan.Zero, policy.RevocationAge);
        Assert.Empty(policy.Drivers);
        Assert.Empty(policy.Firmware);
        Assert.Empty(policy.Measurements);
    }

    [Fact]
    public void Read_EveryField_IsTaken()
    {
        var policy = Read($$"""
            {"roots":["{{Root}}"],"manifestRoots":["{{Root}}","{{Root}}"],"products":["LS_10"],"drivers":["590.12"],"firmware":["00a5"],
             "measurements":{"1":["{{Digest}}"],"255":["{{Digest}}","{{Digest}}"]},"requireManifests":false,"requireRevocation":false,"revocationAgeSeconds":3600}
            """);
        Assert.Equal([Root], policy.Roots);
        Assert.Equal(2, policy.ManifestRoots.Count);
        Assert.Equal(["LS_10"], policy.Products);
        Assert.Equal(["590.12"], policy.Drivers);
        Assert.Equal(["00a5"], policy.Firmware);
        Assert.Equal([1, 255], policy.Measurements.Keys.Order());
        Assert.Equal(2, policy.Measurements[255].Count);
        Assert.False(policy.RequireManifests || policy.RequireRevocation);
        Assert.Equal(TimeSpan.FromHours(1), policy.RevocationAge);
    }

    [Theory]
    [InlineData("""{"root":[]}""", "nvidia.root")]
    [InlineData("""{"requireManifest":false}""", "nvidia.requireManifest")]
    [InlineData("""{"roots":["aa"]}""", "nvidia.roots[0]")]
    [InlineData("""{"manifestRoots":["A"]}""", "nvidia.manifestRoots[0]")]
    [InlineData("""{"manifestRoots":"a"}""", "nvidia.manifestRoots")]
    [InlineData("""{"products":[1]}""", "nvidia.products[0]")]
    [InlineData("""{"requireRevocation":"false"}""", "nvidia.requireRevocation")]
    [InlineData("""{"revocationAgeSeconds":0}""", "nvidia.revocationAgeSeconds")]
    [InlineData("""{"revocationAgeSeconds":1.5}""", "nvidia.revocationAgeSeconds")]
    [InlineData("""{"measurements":[]}""", "nvidia.measurements")]
    [InlineData("""{"measurements":{"0":[]}}""", "nvidia.measurements.0")]
    [InlineData("""{"measurements":{"256":[]}}""", "nvidia.measurements.256")]
    [InlineData("""{"measurements":{"07":[]}}""", "nvidia.measurements.07")]
    [InlineData("""{"measurements":{"7":[]}}""", "nvidia.measurements.7")]
    [InlineData("""{"measurements":{"7":["00"]}}""", "nvidia.measurements.7[0]")]
    public void Read_FieldThatIsNotWhatItMustBe_IsRefusedByPath(string section, string path) => Assert.Equal(path, Assert.Throws<PolicyException>(() => Read(section)).Path);
}
