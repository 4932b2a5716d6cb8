using System.Text;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Attestation.Verification.SevSnp;

namespace OpenGradient.Engine.Attestation.Tests.Verification.SevSnp;

public sealed class SevSnpPolicyTests
{
    [Fact]
    public void Parse_EmptySection_HasTheDefaults()
    {
        var policy = Parse("{}");
        Assert.Equal(3, policy.Roots.Count);
        Assert.Equal([SnpProduct.Genoa, SnpProduct.Turin], policy.Products);
        Assert.Empty(policy.Measurements);
        Assert.False(policy.AnyMeasurement || policy.AllowDebug || policy.AllowMigration || policy.AllowVlek);
        Assert.True(policy.RequireAliasCheck && policy.RequireRevocationList && policy.AllowSmt);
        Assert.Equal([0], policy.Vmpl);
        Assert.Equal(new SnpTcb(0, 0, 0, 0x17, 0x54), policy.MinimumTcb[SnpProduct.Genoa]);
    }

    [Fact]
    public void Parse_EveryField_IsRead()
    {
        var policy = Parse($$"""
            {"roots":["{{new string('a', 64)}}"],"products":["Milan"],"measurements":["{{new string('b', 96)}}"],"anyMeasurement":true,
             "minimumTcb":{"Turin":{"fmc":1,"bootLoader":2,"tee":3,"snp":4,"microcode":5} },"chips":["{{new string('c', 128)}}"],
             "deniedChips":["{{new string('d', 128)}}"],"hostData":["{{new string('e', 64)}}"],"idKeys":["{{new string('f', 96)}}"],"allowVlek":true,
             "providers":["CN=one"],"vmpl":2,"allowDebug":true,"allowMigration":true,"allowSmt":false,"requireAliasCheck":false,
             "requireRevocationList":false,"minimumGuestSvn":7}
            """);
        Assert.Equal([SnpProduct.Milan], policy.Products);
        Assert.Equal(new SnpTcb(1, 2, 3, 4, 5), policy.MinimumTcb[SnpProduct.Turin]);
        Assert.Equal(new SnpTcb(0, 0, 0, 0x17, 0x54), policy.MinimumTcb[SnpProduct.Genoa]);
        Assert.Equal([2], policy.Vmpl);
        Assert.Equal([0, 2], Parse("""{"vmpl":[0,2]}""").Vmpl);
        Assert.Equal(7L, policy.MinimumGuestSvn);
        Assert.Equal(["CN=one"], policy.Providers);
        Assert.True(policy.AnyMeasurement && policy.AllowVlek && policy.AllowDebug && policy.AllowMigration);
        Assert.False(policy.AllowSmt || policy.RequireAliasCheck || policy.RequireRevocationList);
        Assert.All([policy.Roots, policy.Measurements, policy.Chips, policy.DeniedChips, policy.HostData, policy.IdKeys], list => Assert.Single(list));
    }

    [Theory]
    [InlineData("""{"product":["Genoa"]}""", "sev-snp.product")]
    [InlineData("""{"products":["Venice"]}""", "sev-snp.products")]
    [InlineData("""{"measurements":["AA"]}""", "sev-snp.measurements[0]")]
    [InlineData("""{"vmpl":4}""", "sev-snp.vmpl")]
    [InlineData("""{"vmpl":[]}""", "sev-snp.vmpl")]
    [InlineData("""{"vmpl":[1,1]}""", "sev-snp.vmpl")]
    [InlineData("""{"minimumTcb":{"Venice":{}}}""", "sev-snp.minimumTcb.Venice")]
    [InlineData("""{"minimumTcb":{"Genoa":{"snp":256}}}""", "sev-snp.minimumTcb.Genoa.snp")]
    [InlineData("""{"minimumTcb":{"Genoa":{"smp":1}}}""", "sev-snp.minimumTcb.Genoa.smp")]
    public void Parse_WrongField_IsRefusedByItsPath(string section, string path) => Assert.Equal(path, Assert.Throws<PolicyException>(() => Parse(section)).Path);

    private static SevSnpPolicy Parse(string section) => EvidencePolicy.Parse(Encoding.UTF8.GetBytes($$"""{"version":1,"sev-snp":{{section}}}""")).SevSnp!;
}
