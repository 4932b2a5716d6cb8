using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.SevSnp;
using Xunit.Abstractions;

namespace OpenGradient.Engine.Attestation.Tests.Verification.SevSnp;

/// <summary>Captured reports, and mutants of them.</summary>
public sealed class SevSnpVectorsTests(ITestOutputHelper output)
{
    public static TheoryData<string> Names => SnpVectors.Names();

    public static TheoryData<string> Mutants => SnpVectors.Mutants();

    [VectorTheory]
    [MemberData(nameof(Names))]
    public void Verify_Captured_HasTheManifestsVerdict(string name)
    {
        var vector = SnpVectors.Get(name);
        var result = vector.Verify(vector.Report);
        if (vector.Expected == "reject:debug") SnpExpect.Refused(AttestationCheck.Debug, result);
        else SnpExpect.Accepted(result);
        Assert.Equal(vector.Measurement, result.Claims!.Measurements["measurement"]);
        Assert.Equal(vector.ReportData, result.Claims.ReportData.ToArray());
        Assert.Equal(vector.Product, result.Claims.Product!.ToLowerInvariant());
    }

    [VectorTheory]
    [MemberData(nameof(Names))]
    public void Verify_CapturedByTheDefaults_IsNotAccepted(string name)
    {
        var vector = SnpVectors.Get(name);
        var result = vector.Verify(vector.Report, new SevSnpPolicy());
        Assert.NotEqual(AttestationStatus.Accepted, result.Status);
        output.WriteLine($"{name}: {result.Status}: {string.Join(", ", result.Reasons.Select(reason => reason.Check).Distinct())}");
    }

    [VectorTheory]
    [MemberData(nameof(Names))]
    public void Verify_CapturedOutsideTheLeafsTime_IsRefused(string name)
    {
        var vector = SnpVectors.Get(name);
        var policy = vector.Policy with { AllowDebug = true };
        SnpExpect.Refused(AttestationCheck.ChainTime, vector.Verify(vector.Report, policy, vector.Valid.From.AddSeconds(-1)));
        SnpExpect.Refused(AttestationCheck.ChainTime, vector.Verify(vector.Report, policy, vector.Valid.To.AddDays(1)));
    }

    [VectorTheory]
    [MemberData(nameof(Names))]
    public void Verify_CapturedForOtherReportData_IsRefused(string name)
    {
        var vector = SnpVectors.Get(name);
        vector.ReportData[63] ^= 1;
        SnpExpect.Refused(AttestationCheck.ReportData, vector.Verify(vector.Report, vector.Policy with { AllowDebug = true }));
    }

    [VectorTheory]
    [MemberData(nameof(Mutants))]
    public void Verify_Mutant_HasTheManifestsVerdict(string file)
    {
        var (_, name, expected) = SnpVectors.GetMutant(file);
        var vector = SnpVectors.Get(name);
        var result = vector.Verify(Vectors.Read(["mutants", .. file.Split('/')]));
        if (expected == "accept-but-same-id")
        {
            SnpExpect.Accepted(result);
            Assert.Equal(vector.Verify(vector.Report).Identity, result.Identity);
        }
        else
        {
            Assert.Equal(AttestationStatus.Refused, result.Status);
        }
    }

    [VectorTheory]
    [InlineData("trustee-vcek-invalid-legacy.der")]
    [InlineData("trustee-vcek-invalid-new.der")]
    public void Verify_ForeignLeaf_IsRefused(string file)
    {
        var vector = SnpVectors.Get("trustee-milan-v2");
        var collateral = vector.Collateral();
        collateral["vcek.der"] = Vectors.Read("snp", "negative", file);
        Assert.Equal(AttestationStatus.Refused, vector.Verify(vector.Report, collateral: collateral).Status);
    }

    [VectorFact]
    public void Verify_LeafOfAnotherTurin_IsRefused()
    {
        var vector = SnpVectors.Get("ms-turin-v5");
        var collateral = vector.Collateral();
        collateral["vcek.der"] = Vectors.Read("snp", "turin-vcek-only.der");
        SnpExpect.Refused(AttestationCheck.Signature, vector.Verify(vector.Report, collateral: collateral));
    }

    [VectorFact]
    public void Verify_HostsTable_HoldsAllCertificates()
    {
        var vector = SnpVectors.Get("veraison-genoa-v3-tsm");
        SnpExpect.Accepted(vector.Verify(vector.Report, collateral: new() { ["auxblob.bin"] = Vectors.Read("snp", "veraison-genoa-v3-tsm.auxblob.bin") }));
    }

    [VectorFact]
    public void Verify_ReportWithItsHostsTable_NeedsNoCollateral()
    {
        var vector = SnpVectors.Get("veraison-genoa-v3-tsm");
        byte[] whole = [.. vector.Report, .. Vectors.Read("snp", "veraison-genoa-v3-tsm.auxblob.bin")];
        Assert.Equal(PlatformKind.SevSnp, PlatformEvidence.Guess(whole));
        SnpExpect.Accepted(vector.Verify(whole, collateral: []));
    }

    /// <summary>No bit of a report is unsigned and unchecked.</summary>
    [VectorTheory]
    [MemberData(nameof(Names))]
    public void Verify_AnyFlippedBit_IsRefused(string name)
    {
        var vector = SnpVectors.Get(name);
        var (policy, collateral, original) = (vector.Policy with { AllowDebug = true }, vector.Collateral(), vector.Report);
        SnpExpect.Accepted(vector.Verify(original, policy, collateral: collateral));
        var bits = Enumerable.Range(0, 8 * original.Length).ToArray();
        if (!Vectors.IsLong) bits = new Random(20_261_122).GetItems(bits, 96);
        foreach (var bit in bits)
        {
            var report = (byte[])original.Clone();
            report[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.True(vector.Verify(report, policy, collateral: collateral).Status == AttestationStatus.Refused, $"bit {bit}");
        }

        output.WriteLine($"{bits.Length:N0} flipped bits");
    }

    /// <summary>Nor is any bit of a leaf, though its first byte alone says whether it is DER or PEM.</summary>
    [VectorTheory]
    [MemberData(nameof(Names))]
    public void Verify_AnyFlippedBitOfTheLeaf_IsRefused(string name)
    {
        var vector = SnpVectors.Get(name);
        var (policy, collateral, report, file) = (vector.Policy with { AllowDebug = true }, vector.Collateral(), vector.Report, vector.IsVlek ? "vlek.der" : "vcek.der");
        var original = collateral[file].ToArray();
        var bits = Enumerable.Range(0, 8 * original.Length).ToArray();
        if (!Vectors.IsLong) bits = new Random(20_261_123).GetItems(bits, 64);
        foreach (var bit in bits)
        {
            var leaf = (byte[])original.Clone();
            leaf[bit / 8] ^= (byte)(1 << (bit % 8));
            collateral[file] = leaf;
            Assert.True(vector.Verify(report, policy, collateral: collateral).Status == AttestationStatus.Refused, $"bit {bit}");
        }

        output.WriteLine($"{bits.Length:N0} flipped bits");
    }
}
