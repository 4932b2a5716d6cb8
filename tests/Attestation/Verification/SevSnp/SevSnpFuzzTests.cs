using OpenGradient.Engine.Attestation.Verification;
using Xunit.Abstractions;

namespace OpenGradient.Engine.Attestation.Tests.Verification.SevSnp;

/// <summary>Spoiled input never throws and is never accepted. OG_LONG=1 tries a hundred times as many.</summary>
public sealed class SevSnpFuzzTests(ITestOutputHelper output)
{
    private const int Usual = 20_000;

    [Fact]
    public void Verify_SpoiledReports_NeverThrowNorPass() => Each(14_000, 1, random =>
    {
        var scenario = new SnpScenarioCopy();
        scenario.Report = Spoil(random, scenario.Report);
        return scenario;
    });

    [Fact]
    public void Verify_SpoiledTables_NeverThrowNorPass() => Each(3_000, 2, random =>
    {
        var scenario = new SnpScenarioCopy();
        scenario.Collateral["auxblob.bin"] = Spoil(random, scenario.Table);
        return scenario;
    });

    [Fact]
    public void Verify_SpoiledPem_NeverThrowsNorPasses() => Each(2_000, 3, random =>
    {
        var scenario = new SnpScenarioCopy();
        scenario.Collateral["cert_chain.pem"] = Spoil(random, scenario.Chain);
        return scenario;
    });

    // The report is signed by the leaf's key, so that what the leaf says is read although its own signature is broken.
    [Fact]
    public void Verify_SpoiledLeaves_NeverThrowNorPass() => Each(1_000, 4, random =>
    {
        var scenario = new SnpScenarioCopy(isComplete: true);
        scenario.Collateral["vcek.der"] = Spoil(random, scenario.Leaf);
        return scenario;
    });

    private void Each(int rounds, int seed, Func<Random, SnpScenarioCopy> make)
    {
        rounds = (int)((long)rounds * Vectors.Inputs / Usual);
        for (var round = 0; round < rounds; round++)
        {
            var result = make(new Random(unchecked((seed * 1_000_003) + round))).Verify();
            Assert.True(result.Status != AttestationStatus.Accepted && result.Reasons.Count > 0, $"seed {seed}, round {round}");
        }

        output.WriteLine($"{rounds:N0} inputs tried, seed {seed}");
    }

    private static byte[] Spoil(Random random, byte[] original)
    {
        var bytes = (byte[])original.Clone();
        for (var changes = random.Next(1, 6); changes > 0; changes--)
        {
            var at = random.Next(bytes.Length);
            switch (random.Next(5))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: random.NextBytes(bytes.AsSpan(at, Math.Min(random.Next(1, 9), bytes.Length - at))); break;
                case 3: bytes.AsSpan(at, Math.Min(4, bytes.Length - at)).Fill(0xFF); break;
                default: bytes = random.Next(2) == 0 ? [.. bytes[..at], .. bytes[Math.Min(at + random.Next(1, 40), bytes.Length)..], 0] : [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]]; break;
            }
        }

        if (bytes.AsSpan().SequenceEqual(original)) bytes[^1] ^= 1;
        return bytes;
    }

    /// <summary>The scenario's bytes without its cost: keys and certificates are made once. Where it is not complete, no root is there and nothing can pass.</summary>
    private sealed class SnpScenarioCopy(bool isComplete = false)
    {
        private static readonly SnpScenario _original = new();
        private static readonly byte[] _table = SevSnpCertificatesTests.Table(("63da758de6644564adc5f4b93be8accd", _original.Collateral["vcek.der"].ToArray()), ("4ab7b379bbac4fe4a02f05aef327c782", _original.Pki.Issuer));
        private static readonly byte[] _chain = [.. SevSnpCertificatesTests.Pem(_original.Pki.Issuer), .. SevSnpCertificatesTests.Pem(new byte[100])];

        public byte[] Report { get; set; } = _original.Report;

        public byte[] Table => _table;

        public byte[] Chain => _chain;

        public byte[] Leaf => _original.Collateral["vcek.der"].ToArray();

        public Dictionary<string, ReadOnlyMemory<byte>> Collateral { get; } = isComplete ? new(_original.Collateral) : [];

        public AttestationResult Verify() => OpenGradient.Engine.Attestation.Verification.SevSnp.SevSnpVerifier.Verify(Report, new VerificationContext
        {
            At = SnpPki.At, Policy = new() { SevSnp = _original.Policy }, Collateral = Collateral,
        });
    }
}
