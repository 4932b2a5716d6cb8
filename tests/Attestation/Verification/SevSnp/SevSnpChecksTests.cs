using System.Security.Cryptography;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Attestation.Verification.SevSnp;

namespace OpenGradient.Engine.Attestation.Tests.Verification.SevSnp;

/// <summary>Each check of a report fails alone: everything else about the report holds and is signed.</summary>
public sealed class SevSnpChecksTests
{
    [Fact]
    public void Verify_GenoaVersion3_IsAccepted() => SnpExpect.Accepted(new SnpScenario().Verify());

    // By firmware between those that write 3 and 5.
    [Fact]
    public void Verify_GenoaVersion4_IsAccepted() => SnpExpect.Accepted(new SnpScenario(bytes => bytes[0] = 4).Verify());

    [Theory]
    [InlineData(0x1F8)]
    [InlineData(0x200)]
    public void Verify_Version5sFieldInVersion4_IsRefused(int offset) => SnpExpect.Refused(AttestationCheck.Reserved, new SnpScenario(bytes => (bytes[0], bytes[offset]) = (4, 1)).Verify());

    [Fact]
    public void Verify_MilanVersion2_IsAcceptedByAPolicyForIt() => SnpExpect.Accepted(SnpScenario.Milan().Verify());

    [Fact]
    public void Verify_TurinVersion5_IsAccepted() => SnpExpect.Accepted(SnpScenario.Turin().Verify());

    [Fact]
    public void Verify_ProvidersKey_IsAcceptedByAPolicyForIt() => SnpExpect.Accepted(SnpScenario.Vlek().Verify());

    [Fact]
    public void Verify_Accepted_SaysWhatTheReportSays()
    {
        var result = SnpScenario.Turin().Verify();
        var claims = Assert.IsType<AttestationClaims>(result.Claims);
        Assert.Equal("sev-snp", claims.Kind);
        Assert.Equal("Turin", claims.Product);
        Assert.Equal(SnpScenario.Hex(SnpScenario.Measurement), claims.Measurements["measurement"]);
        Assert.Equal(SnpScenario.Hex(SnpScenario.Chip.AsSpan(0, 8)) + new string('0', 112), claims.Chip);
        Assert.Equal("fmc 1, boot loader 2, tee 3, snp 4, microcode 81", claims.Tcb);
        Assert.Equal(SnpScenario.Bound, claims.ReportData.ToArray());
        Assert.False(claims.IsDebug);
    }

    [Fact]
    public void Verify_SecondSignature_HasTheSameIdentity()
    {
        var scenario = new SnpScenario();
        var first = scenario.Verify();
        SnpScenario.Sign(scenario.Report, SnpPki.LeafKey);
        var second = scenario.Verify();
        SnpExpect.Accepted(second);
        Assert.Equal(first.Identity, second.Identity);
        Assert.Equal(SHA256.HashData(scenario.Report.AsSpan(0, SnpScenario.SignedSize)), second.Identity!.Value.ToArray());
    }

    [Fact]
    public void Verify_MoreThanATable_IsRefusedUnread()
    {
        var scenario = new SnpScenario();
        scenario.Report = [.. scenario.Report, .. new byte[(256 * 1024) + 1]];
        SnpExpect.Refused(AttestationCheck.Size, scenario.Verify());
    }

    [Fact]
    public void Verify_BytesBehindThatAreNoTable_AreRefused()
    {
        foreach (var length in (int[])[1, 23, 600])
        {
            var scenario = new SnpScenario();
            scenario.Report = [.. scenario.Report, .. Enumerable.Repeat((byte)1, length)];
            SnpExpect.Refused(AttestationCheck.Encoding, scenario.Verify());
        }
    }

    [Theory]
    [InlineData(24)]
    [InlineData(4096)]
    public void Verify_TableWithoutACertificateBehind_IsRefused(int zeros)
    {
        var scenario = new SnpScenario();
        scenario.Report = [.. scenario.Report, .. new byte[zeros]];
        SnpExpect.Refused(AttestationCheck.Encoding, scenario.Verify());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(SnpScenario.SignedSize)]
    [InlineData(SnpScenario.Size - 1)]
    public void Verify_Truncated_IsRefused(int size)
    {
        var scenario = new SnpScenario();
        scenario.Report = scenario.Report[..size];
        SnpExpect.Refused(AttestationCheck.Encoding, scenario.Verify());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(6)]
    [InlineData(99)]
    public void Verify_UnknownVersion_IsRefused(int version) => SnpExpect.Refused(AttestationCheck.Version, new SnpScenario(bytes => bytes[0] = (byte)version).Verify());

    [Fact]
    public void Verify_UnknownSignatureAlgorithm_IsRefused() => SnpExpect.Refused(AttestationCheck.Version, new SnpScenario(bytes => bytes[0x34] = 0).Verify());

    [Theory]
    [InlineData(0x4C, 1)]
    [InlineData(0x18B, 1)]
    [InlineData(0x19F, 0x80)]
    [InlineData(0x1EB, 1)]
    [InlineData(0x1EF, 1)]
    [InlineData(0x1F8, 1)]
    [InlineData(0x208, 1)]
    [InlineData(0x29F, 0x80)]
    [InlineData(0x48, 0x20)]
    [InlineData(0x0B, 4)]
    [InlineData(0x0A, 1)]
    public void Verify_SignedReserveNotAsReserved_IsRefused(int offset, int value) =>
        SnpExpect.Refused(AttestationCheck.Reserved, new SnpScenario(bytes => bytes[offset] = (byte)value).Verify());

    [Theory]
    [InlineData(0x188)]
    [InlineData(0x18A)]
    [InlineData(0x200)]
    public void Verify_LaterVersionsFieldInVersion2_IsRefused(int offset)
    {
        var scenario = SnpScenario.Milan();
        scenario.Report[offset] = 1;
        SnpScenario.Sign(scenario.Report, SnpPki.LeafKey);
        SnpExpect.Refused(AttestationCheck.Reserved, scenario.Verify());
    }

    [Theory]
    [InlineData(SnpScenario.SignedSize + 48)]
    [InlineData(SnpScenario.SignedSize + 71)]
    [InlineData(SnpScenario.SignedSize + 120)]
    [InlineData(SnpScenario.SignedSize + 143)]
    [InlineData(SnpScenario.SignedSize + 144)]
    [InlineData(SnpScenario.Size - 1)]
    public void Verify_UnsignedReserveNotZero_IsRefused(int offset)
    {
        var scenario = new SnpScenario();
        scenario.Report[offset] = 1;
        SnpExpect.Refused(AttestationCheck.Reserved, scenario.Verify());
    }

    [Fact]
    public void Verify_UnknownFirmwareComponent_IsRefused() => SnpExpect.Refused(AttestationCheck.Reserved, new SnpScenario(bytes => bytes[0x182] = 1).Verify());

    [Fact]
    public void Verify_SignedByAnotherKey_IsRefused()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var result = new SnpScenario(key: other).Verify();
        SnpExpect.Refused(AttestationCheck.Signature, result);
        Assert.Null(result.Claims);
    }

    [Fact]
    public void Verify_SignatureZero_IsRefused()
    {
        var scenario = new SnpScenario();
        scenario.Report.AsSpan(SnpScenario.SignedSize).Clear();
        SnpExpect.Refused(AttestationCheck.Signature, scenario.Verify());
    }

    [Fact]
    public void Verify_KindNotInThePolicy_IsRefused() => SnpExpect.Refused(AttestationCheck.Kind, new SnpScenario().Verify(new EvidencePolicy()));

    [Fact]
    public void Verify_OtherReportData_IsRefused()
    {
        var scenario = new SnpScenario { ReportData = [.. SnpScenario.Bound[..63], 1] };
        SnpExpect.Refused(AttestationCheck.ReportData, scenario.Verify());
        scenario.ReportData = SnpScenario.Bound[..32];
        SnpExpect.Refused(AttestationCheck.ReportData, scenario.Verify());
    }

    [Theory]
    [InlineData(32, true)]
    [InlineData(64, true)]
    [InlineData(31, false)]
    [InlineData(0, false)]
    public void Verify_NonceAlone_MustBeTheReportData(int size, bool isAnswer)
    {
        var scenario = new SnpScenario { ReportData = null, Nonce = SnpScenario.Bound[..size] };
        if (isAnswer) SnpExpect.Accepted(scenario.Verify());
        else SnpExpect.Refused(AttestationCheck.Nonce, scenario.Verify());
    }

    [Fact]
    public void Verify_NonceTooLong_IsRefused() =>
        SnpExpect.Refused(AttestationCheck.Nonce, new SnpScenario { ReportData = null, Nonce = [.. SnpScenario.Bound, 0] }.Verify());

    [Fact]
    public void Verify_MeasurementNotNamed_IsRefused()
    {
        var scenario = new SnpScenario();
        scenario.Policy = scenario.Policy! with { Measurements = [new string('1', 96)] };
        SnpExpect.Refused(AttestationCheck.Measurement, scenario.Verify());
    }

    [Fact]
    public void Verify_PolicyNamesNoMeasurement_IsUnverifiable()
    {
        var scenario = new SnpScenario();
        scenario.Policy = scenario.Policy! with { Measurements = [] };
        SnpExpect.Unverifiable(AttestationCheck.Measurement, scenario.Verify());
        scenario.Policy = scenario.Policy with { AnyMeasurement = true };
        SnpExpect.Accepted(scenario.Verify());
    }

    [Fact]
    public void Verify_MeasurementZero_IsRefusedEvenIfNamed()
    {
        var scenario = new SnpScenario(bytes => bytes.AsSpan(0x90, 48).Clear());
        scenario.Policy = scenario.Policy! with { Measurements = [new string('0', 96)] };
        SnpExpect.Refused(AttestationCheck.Measurement, scenario.Verify());
    }

    [Fact]
    public void Verify_HostDataOrIdentityKeyNotNamed_IsRefused()
    {
        var scenario = new SnpScenario();
        var policy = scenario.Policy!;
        scenario.Policy = policy with { HostData = [new string('1', 64)] };
        SnpExpect.Refused(AttestationCheck.Measurement, scenario.Verify());
        scenario.Policy = policy with { IdKeys = [new string('1', 96)] };
        SnpExpect.Refused(AttestationCheck.Measurement, scenario.Verify());
        scenario.Policy = policy with { HostData = [new string('0', 64)], IdKeys = [new string('0', 96)] };
        SnpExpect.Accepted(scenario.Verify());
    }

    [Fact]
    public void Verify_DebugGuest_IsRefusedUnlessThePolicySaysSo()
    {
        var scenario = new SnpScenario(bytes => bytes[0x0A] |= 8);
        SnpExpect.Refused(AttestationCheck.Debug, scenario.Verify());
        scenario.Policy = scenario.Policy! with { AllowDebug = true };
        SnpExpect.Accepted(scenario.Verify());
        Assert.True(scenario.Verify().Claims!.IsDebug);
    }

    [Fact]
    public void Verify_GuestThatMayBeMoved_IsRefusedUnlessThePolicySaysSo()
    {
        var scenario = new SnpScenario(bytes => bytes[0x0A] |= 4);
        SnpExpect.Refused(AttestationCheck.Guest, scenario.Verify());
        scenario.Policy = scenario.Policy! with { AllowMigration = true };
        SnpExpect.Accepted(scenario.Verify());
    }

    [Fact]
    public void Verify_OtherPrivilegeLevel_IsRefusedUnlessThePolicySaysSo()
    {
        var scenario = new SnpScenario(bytes => bytes[0x30] = 1);
        SnpExpect.Refused(AttestationCheck.Guest, scenario.Verify());
        scenario.Policy = scenario.Policy! with { Vmpl = [1, 3] };
        SnpExpect.Accepted(scenario.Verify());
    }

    [Fact]
    public void Verify_SmtWhereThePolicyForbidsIt_IsRefused()
    {
        var scenario = new SnpScenario();
        scenario.Policy = scenario.Policy! with { AllowSmt = false };
        SnpExpect.Refused(AttestationCheck.Guest, scenario.Verify());
    }

    [Fact]
    public void Verify_GuestVersionTooLow_IsRefused()
    {
        var scenario = new SnpScenario();
        scenario.Policy = scenario.Policy! with { MinimumGuestSvn = 3 };
        SnpExpect.Refused(AttestationCheck.Guest, scenario.Verify());
    }
}
