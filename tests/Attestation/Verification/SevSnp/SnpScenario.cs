using System.Buffers.Binary;
using System.Security.Cryptography;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Attestation.Verification.SevSnp;

namespace OpenGradient.Engine.Attestation.Tests.Verification.SevSnp;

/// <summary>A mock report with everything that it is judged by. As it comes, it is accepted.</summary>
internal sealed class SnpScenario
{
    public const int SignedSize = 0x2A0, Size = 0x4A0;

    private static readonly Lazy<SnpPki> _genoa = new(() => new SnpPki("Genoa")), _milan = new(() => new SnpPki("Milan")), _turin = new(() => new SnpPki("Turin"));
    private static readonly Lazy<SnpPki> _genoaVlek = new(() => new SnpPki("Genoa", "SEV-VLEK-Genoa"));

    public static readonly byte[] Chip = [.. Enumerable.Range(1, 64).Select(value => (byte)value)];
    public static readonly byte[] Measurement = [.. Enumerable.Range(100, 48).Select(value => (byte)value)];
    public static readonly byte[] Bound = [.. Enumerable.Range(200, 32).Select(value => (byte)value), .. new byte[32]];

    public SnpScenario(Action<byte[]>? change = null, SnpPki? pki = null, SnpLeaf? leaf = null, ECDsa? key = null)
    {
        Pki = pki ?? Genoa;
        Report = GenoaReport();
        change?.Invoke(Report);
        Sign(Report, key ?? SnpPki.LeafKey);
        Collateral = new() { ["vcek.der"] = Pki.Leaf(leaf ?? new SnpLeaf()), ["ask.der"] = Pki.Issuer, ["ark.der"] = Pki.Root, ["crl.der"] = Pki.RevocationList() };
        Policy = new SevSnpPolicy { Roots = [Pki.RootDigest], Measurements = [Hex(Measurement)] };
    }

    public static SnpPki Genoa => _genoa.Value;

    public static SnpPki GenoaVlek => _genoaVlek.Value;

    public SnpPki Pki { get; }

    public byte[] Report { get; set; }

    public Dictionary<string, ReadOnlyMemory<byte>> Collateral { get; }

    public SevSnpPolicy? Policy { get; set; }

    public DateTimeOffset At { get; set; } = SnpPki.At;

    public byte[]? ReportData { get; set; } = Bound;

    public byte[]? Nonce { get; set; }

    /// <summary>A report of version 2 by a Milan chip, with the policy that accepts it.</summary>
    public static SnpScenario Milan()
    {
        var tcb = new byte[] { 4, 0, 0, 0, 0, 0, 0x18, 0xDB };
        var scenario = new SnpScenario(bytes =>
        {
            bytes[0] = 2;
            bytes.AsSpan(0x188, 3).Clear();
            bytes[0x40] = 1;
            SetTcb(bytes, tcb);
        }, _milan.Value, new SnpLeaf { Product = "Milan-B0", Tcb = new SnpTcb(0, 4, 0, 0x18, 0xDB) });
        scenario.Policy = scenario.Policy! with { Products = [SnpProduct.Milan], RequireAliasCheck = false };
        return scenario;
    }

    /// <summary>A report of version 5 by a Turin chip.</summary>
    public static SnpScenario Turin() => new(bytes =>
    {
        bytes[0] = 5;
        bytes[0x188] = 0x1A;
        bytes[0x189] = 0x02;
        bytes[0x40] = 0x65;
        bytes[0x1F8] = bytes[0x200] = 0x3F;
        bytes.AsSpan(0x1A8, 56).Clear();
        SetTcb(bytes, [1, 2, 3, 4, 0, 0, 0, 0x51]);
    }, _turin.Value, new SnpLeaf { Product = "Turin", HasFmc = true, Tcb = new SnpTcb(1, 2, 3, 4, 0x51), HwId = Chip[..8] });

    /// <summary>A report by a provider's key that hides the chip, with the policy that accepts it.</summary>
    public static SnpScenario Vlek()
    {
        var leaf = new SnpLeaf { CommonName = "SEV-VLEK", HwId = null, Provider = "CN=mock.provider" };
        var scenario = new SnpScenario(bytes =>
        {
            bytes[0x48] = 1 << 2;
            bytes.AsSpan(0x1A0, 64).Clear();
        }, GenoaVlek, leaf);
        scenario.Rename("vcek.der", "vlek.der");
        scenario.Rename("ask.der", "asvk.der");
        scenario.Policy = scenario.Policy! with { AllowVlek = true };
        return scenario;
    }

    public AttestationResult Verify(EvidencePolicy? whole = null) => SevSnpVerifier.Verify(Report, new VerificationContext
    {
        At = At, Policy = whole ?? new EvidencePolicy { SevSnp = Policy }, Collateral = Collateral,
        ReportData = ReportData is null ? null : (ReadOnlyMemory<byte>?)ReportData, Nonce = Nonce is null ? null : (ReadOnlyMemory<byte>?)Nonce,
    });

    public void Rename(string from, string to)
    {
        Collateral.Remove(from, out var bytes);
        Collateral[to] = bytes;
    }

    public static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    public static void SetTcb(byte[] report, ReadOnlySpan<byte> tcb)
    {
        foreach (var offset in (int[])[0x38, 0x180, 0x1E0, 0x1F0]) tcb.CopyTo(report.AsSpan(offset));
    }

    public static void Sign(byte[] report, ECDsa key)
    {
        var signature = key.SignData(report.AsSpan(0, SignedSize), HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        signature.AsSpan(0, 48).Reverse();
        signature.AsSpan(48).Reverse();
        signature.AsSpan(0, 48).CopyTo(report.AsSpan(SignedSize));
        signature.AsSpan(48).CopyTo(report.AsSpan(SignedSize + 72));
    }

    private static byte[] GenoaReport()
    {
        var bytes = new byte[Size];
        bytes[0] = 3;
        bytes[4] = 2;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), 0x30000);
        bytes[0x34] = 1;
        bytes[0x40] = 0x25;
        Bound.CopyTo(bytes, 0x50);
        Measurement.CopyTo(bytes, 0x90);
        bytes.AsSpan(0x140, 32).Fill(7);
        bytes.AsSpan(0x160, 32).Fill(0xFF);
        bytes[0x188] = 0x19;
        bytes[0x189] = 0x11;
        bytes[0x18A] = 1;
        Chip.CopyTo(bytes, 0x1A0);
        SetTcb(bytes, [10, 0, 0, 0, 0, 0, 0x17, 0x54]);
        return bytes;
    }
}
