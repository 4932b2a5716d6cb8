using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Nitro;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nitro;

public sealed class NitroFuzzTests(Xunit.Abstractions.ITestOutputHelper output)
{
    // Certificates that fail to read at once: what is spoiled here is the format around them, and signatures would only cost time.
    private static readonly MockEnclave Hollow = MockEnclave.Right.With("certificate", CborBytes.Bytes([0x30, 0x00])).With("cabundle", CborBytes.Array(CborBytes.Bytes([0x30, 0x00])));

    [Fact]
    public void Verify_SpoiledFormat_NeverThrowsAndNeverAccepts()
    {
        const int Seed = 41;
        var spoiled = new SpoiledBytes(Seed);
        var context = MockEnclave.Context();
        byte[][] payloads = [Hollow.Payload, CborBytes.OpenMap(Hollow.Entries)], envelopes = [.. payloads.Select(payload => MockEnclave.Envelope(payload, new byte[96]))];
        for (var i = 0; i < SpoiledBytes.Inputs; i++)
        {
            var evidence = i % 4 == 0 ? spoiled.From(envelopes) : MockEnclave.Envelope(spoiled.From(payloads), new byte[96]);
            var result = NitroVerifier.Verify(evidence, context);
            Assert.True(!Judged.IsAccepted(result) && result.Claims is null, $"input {i}, seed {Seed}");
        }

        output.WriteLine($"{SpoiledBytes.Inputs} spoiled documents, seed {Seed}");
    }

    [Fact]
    public void Verify_SpoiledDocument_NeverThrowsAndNeverAcceptsAnother()
    {
        const int Seed = 42;
        var spoiled = new SpoiledBytes(Seed);
        var right = MockEnclave.Right.Document();
        var context = MockEnclave.Context();
        var inputs = SpoiledBytes.Inputs / 20;
        for (var i = 0; i < inputs; i++)
        {
            var bytes = spoiled.From([right]);
            var result = NitroVerifier.Verify(bytes, context);
            Assert.True(!Judged.IsAccepted(result) || bytes.AsSpan().SequenceEqual(right), $"input {i}, seed {Seed}");
        }

        output.WriteLine($"{inputs} spoiled documents with their certificates, seed {Seed}");
    }

    [Fact]
    public void Verify_AnyFlippedBitOfOurDocument_IsRefused()
    {
        var context = MockEnclave.Context();
        output.WriteLine($"{BitFlips.AllRefused(MockEnclave.Right.Document(), 400, flipped => NitroVerifier.Verify(flipped, context))} bits");
    }
}
