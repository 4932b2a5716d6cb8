using System.Text.Json.Nodes;
using OpenGradient.Engine.Attestation.Verification.Tdx;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Tdx;

using OpenGradient.Engine.Attestation.Verification;

/// <summary>Levels and how they merge, by Intel's rule and by the other.</summary>
public sealed class TdxTcbTests
{
    [Theory]
    [InlineData("UpToDate", "UpToDate")]
    [InlineData("SWHardeningNeeded", "SWHardeningNeeded")]
    [InlineData("ConfigurationNeeded", "ConfigurationNeeded")]
    [InlineData("ConfigurationAndSWHardeningNeeded", "ConfigurationAndSWHardeningNeeded")]
    [InlineData("OutOfDate", "OutOfDate")]
    [InlineData("OutOfDateConfigurationNeeded", "OutOfDateConfigurationNeeded")]
    [InlineData("Revoked", "Revoked")]
    public void Tcb_OfThePlatform_IsTheLevels(string level, string expected) => Assert.Equal(expected, State(Platform(new MockTdx(), level)));

    [Theory]
    [InlineData("UpToDate", "OutOfDate")]
    [InlineData("SWHardeningNeeded", "OutOfDate")]
    [InlineData("ConfigurationNeeded", "OutOfDateConfigurationNeeded")]
    [InlineData("ConfigurationAndSWHardeningNeeded", "OutOfDateConfigurationNeeded")]
    [InlineData("OutOfDate", "OutOfDate")]
    [InlineData("OutOfDateConfigurationNeeded", "OutOfDateConfigurationNeeded")]
    [InlineData("Revoked", "Revoked")]
    public void Tcb_ModuleOrEnclaveOutOfDate_MakesItWorse(string level, string expected)
    {
        Assert.Equal(expected, State(Platform(new MockTdx { QeReport = report => report[258] = 3 }, level)));
        Assert.Equal(expected, State(Platform(new MockTdx { Svn = MockTdx.Numbers(5, 1, 3), Svn2 = MockTdx.Numbers(5, 1, 3) }, level)));
    }

    [Theory]
    [InlineData("UpToDate", "TDRelaunchAdvised")]
    [InlineData("SWHardeningNeeded", "TDRelaunchAdvised")]
    [InlineData("ConfigurationNeeded", "TDRelaunchAdvisedConfigurationNeeded")]
    [InlineData("ConfigurationAndSWHardeningNeeded", "TDRelaunchAdvisedConfigurationNeeded")]
    [InlineData("OutOfDate", "OutOfDate")]
    public void Tcb_ModuleWasOldAtLaunchOnly_AdvisesRelaunch(string level, string expected) =>
        Assert.Equal(expected, State(Platform(new MockTdx { Svn = MockTdx.Numbers(5, 1, 3) }, level)));

    [Fact]
    public void Tcb_Version4_KnowsNoRelaunch() => Assert.Equal("OutOfDate", State(new MockTdx { Version = 4, Svn = MockTdx.Numbers(5, 1, 3) }));

    [Theory]
    [InlineData("ConfigurationNeeded")]
    [InlineData("Revoked")]
    public void Tcb_EnclaveInAStateItCannotHave_IsRevoked(string status) =>
        Assert.Equal("Revoked", State(new MockTdx { QeIdentity = json => json.Replace("\"UpToDate\"", $"\"{status}\"") }));

    // The lowest level first: a platform that reaches the highest one must not be judged by it.
    [Fact]
    public void Tcb_LevelsInAnotherOrder_AreHeldFromTheHighestDown()
    {
        var mock = new MockTdx { TcbInfo = json => Reversed(json, "tdxModuleIdentities", "tcbLevels"), QeIdentity = json => Reversed(json, "tcbLevels") };

        Assert.Empty(mock.Verify().Reasons);
    }

    [Fact]
    public void Tcb_Advisories_AreThoseOfAllParts()
    {
        var mock = new MockTdx { Svn = MockTdx.Numbers(5, 1, 2), Svn2 = MockTdx.Numbers(5, 1, 2), QeReport = report => report[258] = 3 };

        Assert.Equal(["MODULE-1", "PLATFORM-1", "QE-1"], mock.Verify().Claims!.Advisories);
    }

    [Fact]
    public void Tcb_AcceptedByPolicy_IsAccepted()
    {
        var mock = new MockTdx { Svn = MockTdx.Numbers(5, 1, 3) };
        mock.Policy = mock.Policy! with { Tcb = [TdxTcbStatus.TDRelaunchAdvised] };

        Assert.Equal(AttestationStatus.Accepted, mock.Verify().Status);
    }

    [Fact]
    public void Tcb_RevokedNamedByPolicy_IsStillRefused()
    {
        var mock = Platform(new MockTdx(), "Revoked");
        mock.Policy = mock.Policy! with { Tcb = [TdxTcbStatus.Revoked] };

        Assert.Equal(AttestationStatus.Refused, mock.Verify().Status);
    }

    // Component 0 of the level asks for 5, which module 3.3 does not reach: Intel's rule leaves it to the module's identity.
    [Theory]
    [InlineData(TdxTcbRule.Intel, AttestationStatus.Accepted, 0)]
    [InlineData(TdxTcbRule.AllComponents, AttestationStatus.Refused, 1)]
    [InlineData(TdxTcbRule.Both, AttestationStatus.Refused, 1)]
    public void Tcb_RulesDiffer_WhereTheModuleHasAnIdentity(TdxTcbRule rule, AttestationStatus status, int reasons)
    {
        var mock = new MockTdx { Svn = MockTdx.Numbers(3, 3, 3), Svn2 = MockTdx.Numbers(3, 3, 3) };
        mock.Policy = mock.Policy! with { TcbRule = rule };

        var result = mock.Verify();

        Assert.Equal(status, result.Status);
        Assert.Equal(reasons, result.Reasons.Count);
        Assert.All(result.Reasons, reason => Assert.Equal(AttestationCheck.Tcb, reason.Check));
    }

    [Theory]
    [InlineData(5, AttestationStatus.Accepted)]
    [InlineData(4, AttestationStatus.Refused)]
    public void Tcb_ModuleWithoutVersion_IsJudgedByAllComponents(byte minor, AttestationStatus status)
    {
        var mock = new MockTdx { Svn = MockTdx.Numbers(minor, 0, 3), Svn2 = MockTdx.Numbers(minor, 0, 3) };

        Assert.Equal(status, mock.Verify().Status);
    }

    [Fact]
    public void Tcb_ModuleOfUnknownVersion_IsRefused()
    {
        var result = new MockTdx { Svn = MockTdx.Numbers(7, 2, 3), Svn2 = MockTdx.Numbers(7, 2, 3) }.Verify();

        Assert.Equal([AttestationCheck.Platform, AttestationCheck.Tcb], result.Reasons.Select(reason => reason.Check));
    }

    // Of TCB info, the first member's elements are modules, whose own levels are turned round too.
    private static string Reversed(string json, params ReadOnlySpan<string> members)
    {
        var root = JsonNode.Parse(json)!;
        foreach (var member in members)
        {
            var list = root[member]!.AsArray();
            foreach (var module in list.Where(entry => entry!["tcbLevels"] is not null)) module!["tcbLevels"] = Turned(module["tcbLevels"]!.AsArray());
            root[member] = Turned(list);
        }

        return root.ToJsonString();
    }

    private static JsonArray Turned(JsonArray list) => [.. list.Reverse().Select(entry => entry!.DeepClone())];

    // The first level of the platform gets this state; the module's and the enclave's stay.
    private static MockTdx Platform(MockTdx mock, string status)
    {
        mock.TcbInfo = json =>
        {
            var levels = json.IndexOf("\"tcbLevels\":[{\"tcb\":{\"sgxtcbcomponents\"", StringComparison.Ordinal);
            var state = json.IndexOf("\"UpToDate\"", levels, StringComparison.Ordinal);
            return json[..state] + $"\"{status}\"" + json[(state + "\"UpToDate\"".Length)..];
        };
        return mock;
    }

    private static string? State(MockTdx mock) => mock.Verify().Claims?.Tcb;
}
