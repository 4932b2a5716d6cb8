using System.Text;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Attestation.Verification.Tdx;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Tdx;

using OpenGradient.Engine.Attestation.Verification;

public sealed class TdxPolicyTests
{
    [Fact]
    public void Parse_EmptySection_IsTheDefault()
    {
        var policy = Parse("{}");

        Assert.Equal([TdxPolicy.IntelRoot], policy.Roots);
        Assert.Equal([TdxTcbStatus.UpToDate], policy.Tcb);
        Assert.Equal(TdxTcbRule.Intel, policy.TcbRule);
        Assert.True(policy is { SeptVeDisable: true, ProtectionKeys: true, Debug: false, Migratable: false, KeyLocker: false, Perfmon: false, AnyMeasurement: false });
        Assert.True(policy is { RequireEventLog: false, DynamicPlatform: true, CachedKeys: true, Smt: true });
        Assert.Equal([SgxType.Scalable, SgxType.ScalableWithIntegrity], policy.SgxTypes);
        Assert.Empty(policy.MrTd);
    }

    [Fact]
    public void Parse_EveryField_IsRead()
    {
        var (long48, ppid) = (MockTdx.Hex(7, 48), MockTdx.Hex(9, 16));
        var policy = Parse($$"""
            {"roots":["{{MockTdx.Hex(1, 32)}}"],"mrtd":["{{long48}}"],"anyMeasurement":true,"rtmr0":["{{long48}}"],"rtmr1":["{{long48}}"],"rtmr2":["{{long48}}"],
             "rtmr3":["{{long48}}"],"mrseam":["{{long48}}"],"mrconfigid":["{{long48}}"],"mrowner":["{{long48}}"],"mrownerconfig":["{{long48}}"],
             "xfam":["e702060000000000"],"platforms":["{{ppid}}"],"tcb":["UpToDate","TDRelaunchAdvised"],"tcbRule":"both","leastEvaluationNumber":17,
             "debug":true,"septVeDisable":false,"migratable":true,"protectionKeys":false,"keyLocker":true,"perfmon":true,"requireEventLog":true,
             "sgxTypes":["scalable-with-integrity","standard"],"dynamicPlatform":false,"cachedKeys":false,"smt":false}
            """);

        Assert.All([policy.MrTd, policy.Rtmr0, policy.Rtmr1, policy.Rtmr2, policy.Rtmr3, policy.MrSeam, policy.MrConfigId, policy.MrOwner, policy.MrOwnerConfig], values => Assert.Equal([long48], values));
        Assert.Equal([MockTdx.Hex(1, 32)], policy.Roots);
        Assert.Equal(["e702060000000000"], policy.Xfam);
        Assert.Equal([ppid], policy.Platforms);
        Assert.Equal([TdxTcbStatus.UpToDate, TdxTcbStatus.TDRelaunchAdvised], policy.Tcb);
        Assert.Equal((TdxTcbRule.Both, 17L), (policy.TcbRule, policy.LeastEvaluationNumber));
        Assert.Equal([SgxType.ScalableWithIntegrity, SgxType.Standard], policy.SgxTypes);
        Assert.True(policy is { RequireEventLog: true, DynamicPlatform: false, CachedKeys: false, Smt: false });
        Assert.True(policy is { SeptVeDisable: false, ProtectionKeys: false, Debug: true, Migratable: true, KeyLocker: true, Perfmon: true, AnyMeasurement: true });
    }

    [Theory]
    [InlineData("""{"tcb":["Revoked"]}""")]
    [InlineData("""{"tcb":["uptodate"]}""")]
    [InlineData("""{"tcb":["0"]}""")]
    [InlineData("""{"tcbRule":"none"}""")]
    [InlineData("""{"mrtd":["00"]}""")]
    [InlineData("""{"leastEvaluationNumber":-1}""")]
    [InlineData("""{"sgxTypes":["Scalable"]}""")]
    [InlineData("""{"mrtds":[]}""")]
    public void Parse_WhatItDoesNotKnow_IsRefused(string section) => Assert.Throws<PolicyException>(() => Parse(section));

    private static TdxPolicy Parse(string section) => EvidencePolicy.Parse(Encoding.UTF8.GetBytes($$"""{"version":1,"tdx":{{section}} }""")).Tdx!;
}
