using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.SevSnp;

namespace OpenGradient.Engine.Attestation.Tests.Verification.SevSnp;

/// <summary>Firmware, chip, product and signing key: each check fails alone.</summary>
public sealed class SevSnpPlatformTests
{
    [Theory]
    [InlineData(0x180)]
    [InlineData(0x181)]
    [InlineData(0x186)]
    [InlineData(0x187)]
    public void Verify_ReportedFirmwareOtherThanTheLeafs_IsRefused(int offset) => SnpExpect.Refused(AttestationCheck.Tcb, new SnpScenario(bytes => bytes[offset]++).Verify());

    [Fact]
    public void Verify_TurinsFirstComponentOtherThanTheLeafs_IsRefused()
    {
        var scenario = SnpScenario.Turin();
        scenario.Report[0x180]++;
        SnpScenario.Sign(scenario.Report, SnpPki.LeafKey);
        SnpExpect.Refused(AttestationCheck.Tcb, scenario.Verify());
    }

    [Theory]
    [InlineData(0x1E6)]
    [InlineData(0x1F7)]
    public void Verify_CommittedOrLaunchFirmwareTooOld_IsRefused(int offset) => SnpExpect.Refused(AttestationCheck.Tcb, new SnpScenario(bytes => bytes[offset]--).Verify());

    [Fact]
    public void Verify_FirmwareWithForgeableMicrocode_IsRefusedByDefault()
    {
        byte[] old = [10, 0, 0, 0, 0, 0, 0x16, 0x54];
        var scenario = new SnpScenario(bytes => SnpScenario.SetTcb(bytes, old), leaf: new SnpLeaf { Tcb = new SnpTcb(0, 10, 0, 0x16, 0x54) });
        SnpExpect.Refused(AttestationCheck.Tcb, scenario.Verify());
        scenario.Policy = scenario.Policy! with { MinimumTcb = new Dictionary<SnpProduct, SnpTcb>() };
        SnpExpect.Accepted(scenario.Verify());
    }

    [Theory]
    [InlineData(11, 0, 0)]
    [InlineData(0, 1, 0)]
    [InlineData(0, 0, 0x18)]
    public void Verify_OneComponentBelowThePolicys_IsRefused(int bootLoader, int tee, int snp)
    {
        var scenario = new SnpScenario();
        scenario.Policy = scenario.Policy! with { MinimumTcb = new Dictionary<SnpProduct, SnpTcb> { [SnpProduct.Genoa] = new(0, (byte)bootLoader, (byte)tee, (byte)snp, 0) } };
        SnpExpect.Refused(AttestationCheck.Tcb, scenario.Verify());
    }

    [Fact]
    public void Verify_NewerFirmwareThanReported_IsAccepted() => SnpExpect.Accepted(new SnpScenario(bytes => bytes[0x3F] = 0x70).Verify());

    [Fact]
    public void Verify_Milan_IsRefusedByDefault()
    {
        var scenario = SnpScenario.Milan();
        scenario.Policy = scenario.Policy! with { Products = new SevSnpPolicy().Products };
        SnpExpect.Refused(AttestationCheck.Platform, scenario.Verify());
    }

    [Theory]
    [InlineData(0x19, 0x01)]
    [InlineData(0x1A, 0x02)]
    [InlineData(0x19, 0x20)]
    [InlineData(0x17, 0x11)]
    public void Verify_ProcessorOfAnotherProduct_IsRefused(int family, int model) => SnpExpect.Refused(AttestationCheck.Platform, new SnpScenario(bytes =>
    {
        bytes[0x188] = (byte)family;
        bytes[0x189] = (byte)model;
    }).Verify());

    [Fact]
    public void Verify_Siena_CountsAsGenoa() => SnpExpect.Accepted(new SnpScenario(bytes => bytes[0x189] = 0xA0).Verify());

    [Fact]
    public void Verify_LeafOfAnotherProductThanTheRoot_IsRefused()
    {
        var scenario = SnpScenario.Milan();
        scenario.Collateral["vcek.der"] = scenario.Pki.Leaf(new SnpLeaf { Tcb = new SnpTcb(0, 4, 0, 0x18, 0xDB) });
        var result = scenario.Verify();
        Assert.Equal(AttestationStatus.Refused, result.Status);
        Assert.Contains(result.Reasons, reason => reason.Check == AttestationCheck.Platform);
    }

    [Theory]
    [InlineData(0x1A0)]
    [InlineData(0x1DF)]
    public void Verify_AnotherChipThanTheLeafs_IsRefused(int offset) => SnpExpect.Refused(AttestationCheck.Platform, new SnpScenario(bytes => bytes[offset] ^= 1).Verify());

    [Fact]
    public void Verify_TurinsChipWithMoreThanEightBytes_IsRefused()
    {
        var scenario = SnpScenario.Turin();
        scenario.Report[0x1A8] = 1;
        SnpScenario.Sign(scenario.Report, SnpPki.LeafKey);
        SnpExpect.Refused(AttestationCheck.Platform, scenario.Verify());
    }

    [Fact]
    public void Verify_ChipHidden_IsRefusedUnlessTheReportSaysSo()
    {
        SnpExpect.Refused(AttestationCheck.Platform, new SnpScenario(bytes => bytes.AsSpan(0x1A0, 64).Clear()).Verify());
        var masked = new SnpScenario(bytes =>
        {
            bytes.AsSpan(0x1A0, 64).Clear();
            bytes[0x48] = 2;
        });
        SnpExpect.Accepted(masked.Verify());
        masked.Policy = masked.Policy! with { Chips = [SnpScenario.Hex(SnpScenario.Chip)] };
        SnpExpect.Accepted(masked.Verify());
        masked.Policy = masked.Policy with { Chips = [new string('1', 128)] };
        SnpExpect.Refused(AttestationCheck.Platform, masked.Verify());
    }

    [Fact]
    public void Verify_ChipNotNamed_IsRefused()
    {
        var scenario = new SnpScenario();
        scenario.Policy = scenario.Policy! with { Chips = [new string('1', 128)] };
        SnpExpect.Refused(AttestationCheck.Platform, scenario.Verify());
        scenario.Policy = scenario.Policy with { Chips = [SnpScenario.Hex(SnpScenario.Chip)] };
        SnpExpect.Accepted(scenario.Verify());
    }

    [Fact]
    public void Verify_ChipUnknownWherePolicyNamesChips_IsRefused()
    {
        var scenario = SnpScenario.Vlek();
        scenario.Policy = scenario.Policy! with { Chips = [SnpScenario.Hex(SnpScenario.Chip)] };
        SnpExpect.Refused(AttestationCheck.Platform, scenario.Verify());
    }

    [Fact]
    public void Verify_ChipDenied_IsRefused()
    {
        var scenario = new SnpScenario();
        scenario.Policy = scenario.Policy! with { DeniedChips = [SnpScenario.Hex(SnpScenario.Chip)] };
        SnpExpect.Refused(AttestationCheck.Revoked, scenario.Verify());
    }

    [Fact]
    public void Verify_MemoryNotCheckedForAliases_IsRefusedUnlessThePolicySaysSo()
    {
        var scenario = new SnpScenario(bytes => bytes[0x40] = 5);
        SnpExpect.Refused(AttestationCheck.Platform, scenario.Verify());
        scenario.Policy = scenario.Policy! with { RequireAliasCheck = false };
        SnpExpect.Accepted(scenario.Verify());
    }

    [Fact]
    public void Verify_ProvidersKey_IsRefusedByDefault()
    {
        var scenario = SnpScenario.Vlek();
        scenario.Policy = scenario.Policy! with { AllowVlek = false };
        SnpExpect.Refused(AttestationCheck.Key, scenario.Verify());
    }

    [Fact]
    public void Verify_ProviderNotNamed_IsRefused()
    {
        var scenario = SnpScenario.Vlek();
        scenario.Policy = scenario.Policy! with { Providers = ["CN=other.provider"] };
        SnpExpect.Refused(AttestationCheck.Key, scenario.Verify());
        scenario.Policy = scenario.Policy with { Providers = ["CN=mock.provider"] };
        SnpExpect.Accepted(scenario.Verify());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public void Verify_SignerFieldOtherThanTheLeaf_IsRefused(int signer) => SnpExpect.Refused(AttestationCheck.Key, new SnpScenario(bytes => bytes[0x48] = (byte)(signer << 2)).Verify());

    [Fact]
    public void Verify_ChipsLeafUnderTheProvidersIssuer_IsRefused() => SnpExpect.Refused(AttestationCheck.Key, new SnpScenario(pki: SnpScenario.GenoaVlek).Verify());

    [Fact]
    public void Verify_ProvidersLeafUnderTheChipsIssuer_IsRefused()
    {
        var scenario = new SnpScenario(bytes => bytes[0x48] = 1 << 2, leaf: new SnpLeaf { CommonName = "SEV-VLEK", HwId = null, Provider = "CN=mock.provider" });
        scenario.Policy = scenario.Policy! with { AllowVlek = true };
        SnpExpect.Refused(AttestationCheck.Key, scenario.Verify());
    }

    [Theory]
    [InlineData("SEV-VCEK", 0)]
    [InlineData("SEV-VLEK", 1)]
    public void Verify_LeafOfAChipAndAProvider_IsRefused(string name, byte signer)
    {
        var pki = signer == 1 ? SnpScenario.GenoaVlek : SnpScenario.Genoa;
        var scenario = new SnpScenario(bytes => bytes[0x48] = (byte)(signer << 2), pki, new SnpLeaf { CommonName = name, Provider = "CN=mock.provider" });
        scenario.Policy = scenario.Policy! with { AllowVlek = true };
        SnpExpect.Refused(AttestationCheck.Key, scenario.Verify());
    }

    [Theory]
    [InlineData("Genoa-B1")]
    [InlineData("Bergamo")]
    [InlineData("Siena-A0")]
    public void Verify_LeafOfAnotherLineOfGenoas_IsGenoas(string product)
    {
        var result = new SnpScenario(leaf: new SnpLeaf { Product = product }).Verify();
        SnpExpect.Accepted(result);
        Assert.Equal("Genoa", result.Claims!.Product);
    }
}
