using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.History;
using OpenGradient.Engine.Attestation.Verification.Pki;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Attestation.Verification.SevSnp;

namespace OpenGradient.Engine.Attestation.Tests.Verification.SevSnp;

/// <summary>Chain, revocation and where certificates come from.</summary>
public sealed class SevSnpCertificatesTests
{
    [Theory]
    [InlineData("vcek.der")]
    [InlineData("ask.der")]
    [InlineData("ark.der")]
    public void Verify_CertificateMissing_IsUnverifiable(string name)
    {
        var scenario = new SnpScenario();
        scenario.Collateral.Remove(name);
        var result = scenario.Verify();
        SnpExpect.Unverifiable(AttestationCheck.Collateral, result);
        Assert.Null(result.Claims);
    }

    [Fact]
    public void Verify_AnotherRootWithTheSameNames_IsRefused()
    {
        var scenario = new SnpScenario();
        scenario.Policy = scenario.Policy! with { Roots = new SevSnpPolicy().Roots };
        var result = scenario.Verify();
        SnpExpect.Refused(AttestationCheck.Root, result);
        Assert.Null(result.Claims);
    }

    [Fact]
    public void Verify_IssuerNotSignedByTheRoot_IsRefused() => SnpExpect.Refused(AttestationCheck.Chain, new SnpScenario(pki: new SnpPki("Genoa", isIssuerSigned: false)).Verify());

    [Fact]
    public void Verify_LeafFlipped_IsRefused()
    {
        var scenario = new SnpScenario();
        var leaf = scenario.Collateral["vcek.der"].ToArray();
        leaf[^1] ^= 1;
        scenario.Collateral["vcek.der"] = leaf;
        SnpExpect.Refused(AttestationCheck.Chain, scenario.Verify());
    }

    [Fact]
    public void Verify_LeafWithTrailingByte_IsRefused()
    {
        var scenario = new SnpScenario();
        scenario.Collateral["vcek.der"] = (byte[])[.. scenario.Collateral["vcek.der"].Span, 0];
        SnpExpect.Refused(AttestationCheck.Encoding, scenario.Verify());
    }

    [Fact]
    public void Verify_LeafOnAnotherCurve_IsRefused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var scenario = new SnpScenario();
        scenario.Collateral["vcek.der"] = scenario.Pki.Leaf(new SnpLeaf(), key);
        Assert.Contains(scenario.Verify().Reasons, reason => reason.Check == AttestationCheck.Chain);
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, true)]
    public void Verify_BeforeTheCertificates_IsRefused(int seconds, bool isInTime)
    {
        var scenario = new SnpScenario { At = SnpPki.From.AddSeconds(seconds) };
        scenario.Policy = scenario.Policy! with { RequireRevocationList = false };
        scenario.Collateral.Remove("crl.der");
        if (isInTime) SnpExpect.Accepted(scenario.Verify());
        else SnpExpect.Refused(AttestationCheck.ChainTime, scenario.Verify());
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(0, true)]
    public void Verify_AfterTheCertificates_IsRefused(int seconds, bool isInTime)
    {
        var scenario = new SnpScenario { At = SnpPki.To.AddSeconds(seconds) };
        scenario.Policy = scenario.Policy! with { RequireRevocationList = false };
        scenario.Collateral.Remove("crl.der");
        if (isInTime) SnpExpect.Accepted(scenario.Verify());
        else SnpExpect.Refused(AttestationCheck.ChainTime, scenario.Verify());
    }

    [Fact]
    public void Verify_NoRevocationList_IsUnverifiableUnlessThePolicySaysSo()
    {
        var scenario = new SnpScenario();
        scenario.Collateral.Remove("crl.der");
        SnpExpect.Unverifiable(AttestationCheck.Revocation, scenario.Verify());
        scenario.Policy = scenario.Policy! with { RequireRevocationList = false };
        SnpExpect.Accepted(scenario.Verify());
    }

    [Fact]
    public void Verify_IssuerRevoked_IsRefused()
    {
        var scenario = new SnpScenario();
        scenario.Collateral["crl.der"] = scenario.Pki.RevocationList(listsIssuer: true);
        SnpExpect.Refused(AttestationCheck.Revoked, scenario.Verify());
    }

    [Fact]
    public void Verify_RevocationListOutOfDate_IsRefused()
    {
        var scenario = new SnpScenario();
        scenario.Collateral["crl.der"] = scenario.Pki.RevocationList(until: SnpPki.At.AddSeconds(-1));
        SnpExpect.Refused(AttestationCheck.Revocation, scenario.Verify());
    }

    [Fact]
    public void Verify_RevocationListOfAnotherKey_IsRefused()
    {
        var scenario = new SnpScenario();
        scenario.Collateral["crl.der"] = scenario.Pki.RevocationList(isForeign: true);
        SnpExpect.Refused(AttestationCheck.Revocation, scenario.Verify());
    }

    [Fact]
    public void Verify_RevocationListOlderThanOneSeen_IsRefused()
    {
        var scenario = new SnpScenario();
        var history = new CollateralLedger();
        using var root = X509CertificateLoader.LoadCertificate(scenario.Pki.Root);
        Assert.True(history.See("crl " + Convert.ToHexStringLower(SHA256.HashData(root.RawData)), 2, SnpPki.At));
        var context = new VerificationContext { At = SnpPki.At, Policy = new EvidencePolicy { SevSnp = scenario.Policy }, Collateral = scenario.Collateral, History = history };
        SnpExpect.Refused(AttestationCheck.Revocation, SevSnpVerifier.Verify(scenario.Report, context));
    }

    [Fact]
    public void Verify_IssuerDenied_IsRefused()
    {
        var scenario = new SnpScenario();
        var issuer = Convert.ToHexStringLower(SHA256.HashData(scenario.Pki.IssuerOfLeaf.RawData));
        var policy = new EvidencePolicy { SevSnp = scenario.Policy, Denied = new DenyList([(issuer, "01")]) };
        SnpExpect.Refused(AttestationCheck.Revoked, scenario.Verify(policy));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    public void Verify_LeafLacksAVersion_IsRefused(int index) => SnpExpect.Refused(AttestationCheck.Encoding, new SnpScenario(leaf: new SnpLeaf { Without = index }).Verify());

    [Fact]
    public void Verify_TurinLeafLacksItsFirstVersion_IsRefused()
    {
        var scenario = SnpScenario.Turin();
        scenario.Collateral["vcek.der"] = scenario.Pki.Leaf(new SnpLeaf { Product = "Turin", Tcb = new SnpTcb(1, 2, 3, 4, 0x51), HwId = SnpScenario.Chip[..8] });
        SnpExpect.Refused(AttestationCheck.Encoding, scenario.Verify());
    }

    [Fact]
    public void Verify_LeafHasAnUnknownVersion_IsRefused() =>
        SnpExpect.Refused(AttestationCheck.Reserved, new SnpScenario(leaf: new SnpLeaf { More = SnpPki.Extension("3.4", SnpPki.Number(1)) }).Verify());

    [Fact]
    public void Verify_LeafWithCriticalUnknownExtension_IsRefused() =>
        SnpExpect.Refused(AttestationCheck.Chain, new SnpScenario(leaf: new SnpLeaf { More = new X509Extension("1.2.3.4", [5, 0], critical: true) }).Verify());

    [Theory]
    [InlineData(63)]
    [InlineData(8)]
    [InlineData(0)]
    public void Verify_LeafsChipOfAWrongSize_IsRefused(int size) => SnpExpect.Refused(AttestationCheck.Encoding, new SnpScenario(leaf: new SnpLeaf { HwId = SnpScenario.Chip[..size] }).Verify());

    [Fact]
    public void Verify_LeafsChipInAnOctetString_IsAccepted() => SnpExpect.Accepted(new SnpScenario(leaf: new SnpLeaf { HwId = [4, 64, .. SnpScenario.Chip] }).Verify());

    [Fact]
    public void Verify_LeafOfAnUnknownName_IsRefused() => SnpExpect.Refused(AttestationCheck.Key, new SnpScenario(leaf: new SnpLeaf { CommonName = "SEV-CEK" }).Verify());

    [Fact]
    public void Verify_LeafOfAnUnknownProduct_IsRefused() => SnpExpect.Refused(AttestationCheck.Platform, new SnpScenario(leaf: new SnpLeaf { Product = "Venice" }).Verify());

    [Fact]
    public void Verify_CertificatesAsPem_AreRead()
    {
        var scenario = new SnpScenario();
        scenario.Collateral["vcek.pem"] = Pem(scenario.Collateral["vcek.der"]);
        scenario.Collateral["cert_chain.pem"] = (byte[])[.. Pem(scenario.Pki.Issuer), .. Pem(scenario.Pki.Root)];
        foreach (var name in (string[])["vcek.der", "ask.der", "ark.der"]) scenario.Collateral.Remove(name);
        SnpExpect.Accepted(scenario.Verify());
    }

    [Fact]
    public void Verify_ChainOfOneCertificate_IsRefused()
    {
        var scenario = new SnpScenario();
        scenario.Collateral["cert_chain.pem"] = Pem(scenario.Pki.Issuer);
        SnpExpect.Refused(AttestationCheck.Encoding, scenario.Verify());
    }

    [Fact]
    public void Verify_CertificatesFromTheHostsTable_AreRead()
    {
        var scenario = new SnpScenario();
        scenario.Collateral["auxblob.bin"] = Table(("63da758de6644564adc5f4b93be8accd", scenario.Collateral["vcek.der"].ToArray()),
            ("4ab7b379bbac4fe4a02f05aef327c782", Pem(scenario.Pki.Issuer)), ("c0b406a4a803495297433fb6014cd0ae", scenario.Pki.Root));
        foreach (var name in (string[])["vcek.der", "ask.der", "ark.der"]) scenario.Collateral.Remove(name);
        SnpExpect.Accepted(scenario.Verify());
    }

    [Fact]
    public void Verify_CertificatesThatCameWithTheReport_AreJudgedLikeAnyOthers()
    {
        var scenario = WithHostsTable(SnpScenario.Genoa);
        SnpExpect.Accepted(scenario.Verify());

        scenario.At = SnpPki.At.AddYears(40);
        Assert.Contains(scenario.Verify().Reasons, reason => reason.Check == AttestationCheck.ChainTime);

        var foreign = WithHostsTable(new SnpPki("Genoa"));
        foreign.Policy = scenario.Policy;
        SnpExpect.Refused(AttestationCheck.Root, foreign.Verify());
    }

    [Fact]
    public void Verify_CertificatesOfTheCaller_GoBeforeThoseThatCameWithTheReport()
    {
        var scenario = new SnpScenario();
        scenario.Report = [.. scenario.Report, .. Table(("63da758de6644564adc5f4b93be8accd", [0x30, 1]), ("c0b406a4a803495297433fb6014cd0ae", [0x30, 1]))];
        SnpExpect.Accepted(scenario.Verify());
        scenario.Collateral.Remove("vcek.der");
        SnpExpect.Refused(AttestationCheck.Encoding, scenario.Verify());
    }

    [Fact]
    public void Verify_TableThatCameWithTheReport_ChangesNoIdentity()
    {
        var scenario = WithHostsTable(SnpScenario.Genoa);
        var whole = scenario.Verify();
        scenario.Report = scenario.Report[..SnpScenario.Size];
        Assert.Equal(scenario.Verify().Identity, whole.Identity);
    }

    // A report with all certificates behind it, and the list alone as collateral.
    private static SnpScenario WithHostsTable(SnpPki pki)
    {
        var scenario = new SnpScenario(pki: pki);
        scenario.Report =
        [
            .. scenario.Report, .. Table(("63da758de6644564adc5f4b93be8accd", scenario.Collateral["vcek.der"].ToArray()),
                ("4ab7b379bbac4fe4a02f05aef327c782", Pem(scenario.Pki.Issuer)), ("c0b406a4a803495297433fb6014cd0ae", scenario.Pki.Root)),
        ];
        foreach (var name in (string[])["vcek.der", "ask.der", "ark.der"]) scenario.Collateral.Remove(name);
        return scenario;
    }

    [Theory]
    [InlineData(16, 0xFFFFFFFF)]
    [InlineData(20, 0xFFFFFFFF)]
    [InlineData(20, 0u)]
    [InlineData(16, 0u)]
    public void Verify_TableThatPointsOutside_IsRefused(int offset, uint value)
    {
        var scenario = new SnpScenario();
        var table = Table(("63da758de6644564adc5f4b93be8accd", scenario.Collateral["vcek.der"].ToArray()));
        BinaryPrimitives.WriteUInt32LittleEndian(table.AsSpan(offset), value);
        scenario.Collateral["auxblob.bin"] = table;
        SnpExpect.Refused(AttestationCheck.Encoding, scenario.Verify());
    }

    [Fact]
    public void Verify_TableWithoutEndOrTwiceTheSame_IsRefused()
    {
        var scenario = new SnpScenario();
        scenario.Collateral["auxblob.bin"] = new byte[23];
        SnpExpect.Refused(AttestationCheck.Encoding, scenario.Verify());
        scenario.Collateral["auxblob.bin"] = Table((new string('1', 32), [1]), (new string('1', 32), [1]));
        SnpExpect.Refused(AttestationCheck.Encoding, scenario.Verify());
    }

    [Theory]
    [InlineData("vcek.der", 17 * 1024)]
    [InlineData("cert_chain.pem", 33 * 1024)]
    [InlineData("auxblob.bin", 257 * 1024)]
    public void Verify_CollateralTooLarge_IsRefusedUnread(string name, int size)
    {
        var scenario = new SnpScenario();
        scenario.Collateral[name] = new byte[size];
        Assert.Contains(scenario.Verify().Reasons, reason => reason.Check == AttestationCheck.Size);
    }

    internal static byte[] Table(params (string Name, byte[] Bytes)[] entries)
    {
        var table = new List<byte>();
        var at = 24 * (entries.Length + 1);
        foreach (var (name, bytes) in entries)
        {
            table.AddRange(Convert.FromHexString(name));
            table.AddRange(BitConverter.GetBytes(at));
            table.AddRange(BitConverter.GetBytes(bytes.Length));
            at += bytes.Length;
        }

        table.AddRange(new byte[24]);
        foreach (var (_, bytes) in entries) table.AddRange(bytes);
        return [.. table];
    }

    internal static byte[] Pem(ReadOnlyMemory<byte> der) => Encoding.ASCII.GetBytes(PemEncoding.WriteString("CERTIFICATE", der.Span) + "\n");
}
