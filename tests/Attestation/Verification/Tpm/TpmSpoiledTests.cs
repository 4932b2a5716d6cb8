using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Attestation.Verification.Tpm;
using Xunit.Abstractions;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Tpm;

/// <summary>Spoiled evidence of the mock: nothing is thrown, nothing is accepted.</summary>
public sealed class TpmSpoiledTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(MockScheme.EcdsaP256)]
    [InlineData(MockScheme.RsaSsa)]
    [InlineData(MockScheme.RsaPss)]
    public void Verify_AnyFlippedBit_IsNotAccepted(MockScheme scheme)
    {
        var tpm = new MockTpm { Scheme = scheme };
        BitFlips.AssertNoneAccepted(tpm.Evidence().Encode(), MockTpm.Context(tpm.Policy()), seed: 42);
    }

    [Fact]
    public void Verify_SpoiledInputs_NeverThrowAndAreNeverAccepted()
    {
        var inputs = Vectors.Inputs;
        var random = new Random(20261122);
        // Without certificates: their reader has its own such test, and judging a path takes longer than all the rest.
        var tpm = new MockTpm { HasEndorsement = false };
        var (evidence, context) = (tpm.Evidence(), MockTpm.Context(tpm.Policy() with { RequireEndorsement = false }));
        var whole = evidence.Encode();
        for (var i = 0; i < inputs; i++)
        {
            var spoiled = random.Next(5) switch
            {
                0 => Spoil(whole, random),
                1 => (evidence with { Quote = Spoil(evidence.Quote.ToArray(), random) }).Encode(),
                2 => (evidence with { Key = Spoil(evidence.Key.ToArray(), random), Form = (TpmKeyForm)random.Next(1, 3) }).Encode(),
                3 => (evidence with { Signature = Spoil(evidence.Signature.ToArray(), random) }).Encode(),
                _ => Spoil(Spoil(whole, random), random),
            };
            if (!spoiled.AsSpan().SequenceEqual(whole)) Assert.NotEqual(AttestationStatus.Accepted, TpmVerifier.Verify(spoiled, context).Status);
        }

        output.WriteLine($"{inputs} spoiled inputs");
    }

    [Fact]
    public void Replay_SpoiledLogs_NeverThrow()
    {
        var inputs = Vectors.Inputs;
        var random = new Random(7);
        byte[] start = [0, 0, 0, 0, 3, 0, 0, 0, .. new byte[20], 33, 0, 0, 0, .. "Spec ID Event03\0"u8, .. new byte[8], 1, 0, 0, 0, 0x0b, 0, 32, 0, 0];
        byte[] entry = [7, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0x0b, 0, .. new byte[32], 2, 0, 0, 0, 9, 9];
        byte[] log = [.. start, .. entry, .. entry];
        var tpm = new MockTpm { Scheme = MockScheme.RsaSsa, HasEndorsement = false };
        var (evidence, context) = (tpm.Evidence(), MockTpm.Context(tpm.Policy() with { RequireEndorsement = false }));
        for (var i = 0; i < inputs; i++)
            Assert.Equal(AttestationStatus.Refused, TpmVerifier.Verify((evidence with { EventLog = Spoil(log, random) }).Encode(), context).Status);
        output.WriteLine($"{inputs} spoiled logs");
    }

    [Fact]
    public void Policy_Section_IsReadStrictly()
    {
        var name = "000b" + new string('a', 64);
        var policy = Parse($$"""{"keys":["{{name}}"],"selection":[7,0],"registers":{"7":["{{new string('b', 64)}}"]},"minimumResetCount":3,"requireEndorsement":false}""");
        Assert.Equal([0, 7], policy.Selection);
        Assert.Equal([name], policy.Keys);
        Assert.Single(policy.Registers[7]);
        Assert.Equal(3, policy.MinimumResetCount);
        Assert.False(policy.RequireEndorsement);
        Assert.True(policy.RequireNonce);
        Assert.NotEmpty(Parse("{}").Roots);
        foreach (var wrong in (string[])["""{"key":[]}""", """{"registers":{"24":[]}}""", """{"registers":{"07":[]}}""", """{"selection":[24]}""", """{"keys":["00"]}""", """{"firmware":["1"]}"""])
            Assert.Throws<PolicyException>(() => Parse(wrong));
    }

    private static TpmPolicy Parse(string section) => EvidencePolicy.Parse(System.Text.Encoding.UTF8.GetBytes($$"""{"version":1,"tpm":{{section}}}""")).Tpm!;

    private static byte[] Spoil(byte[] bytes, Random random)
    {
        var spoiled = (byte[])bytes.Clone();
        var at = random.Next(spoiled.Length);
        switch (random.Next(5))
        {
            case 0:
                spoiled[at] ^= (byte)random.Next(1, 256);
                return spoiled;
            case 1:
                random.NextBytes(spoiled.AsSpan(at, Math.Min(4, spoiled.Length - at)));
                return spoiled;
            case 2:
                return spoiled[..Math.Max(1, at)];
            case 3:
                return [.. spoiled[..at], (byte)random.Next(256), .. spoiled[at..]];
            default:
                spoiled[at] = 0xff;
                return spoiled;
        }
    }
}
