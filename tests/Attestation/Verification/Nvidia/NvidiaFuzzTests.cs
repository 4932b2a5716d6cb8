using OpenGradient.Engine.Attestation.Tests.Verification.Nitro;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Nvidia;
using Xunit.Abstractions;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nvidia;

/// <summary>Spoiled collateral. The device's chain fails to read at once: what is spoiled here is read before, and signatures would only cost time.</summary>
public sealed class NvidiaFuzzTests(ITestOutputHelper output)
{
    private const string HollowChain = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";

    private static readonly byte[] Report = (MockDevice.Right with { Blocks = [MockDevice.Block(1, MockDevice.Digest(1))] }).Report();

    [Fact]
    public void Verify_SpoiledManifests_NeverThrowsNorAccepts() => Each(53, NvidiaVerifier.DriverManifestName, MockVendor.RightDriver.Bytes(), MockVendor.RightFirmware.Bytes());

    [Fact]
    public void Verify_SpoiledAnswers_NeverThrowsNorAccepts()
    {
        var right = MockVendor.RightAnswers["ocsp-boot.der"];
        Each(54, "ocsp.der", right.Bytes(), (right with { State = 1, Responder = MockDevice.Boot, IsByName = true, Extension = ("1.2.3", false) }).Bytes());
    }

    private void Each(int seed, string name, params byte[][] seeds)
    {
        var spoiled = new SpoiledBytes(seed);
        var context = MockDevice.Context(chain: HollowChain);
        var chain = context.Collateral[NvidiaVerifier.ChainName];
        for (var i = 0; i < SpoiledBytes.Inputs; i++)
        {
            var collateral = new Dictionary<string, ReadOnlyMemory<byte>> { [NvidiaVerifier.ChainName] = chain, [name] = spoiled.From(seeds) };
            Judged.RefusedAlsoFor(AttestationCheck.Encoding, NvidiaVerifier.Verify(Report, context with { Collateral = collateral }));
        }

        output.WriteLine($"{SpoiledBytes.Inputs} spoiled inputs, seed {seed}");
    }
}
