using OpenGradient.Engine.Attestation.Verification;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nitro;

/// <summary>Single-bit flips of evidence that is accepted: a seeded sample, or all of them where OG_LONG is 1.</summary>
internal static class BitFlips
{
    public const int Seed = 20_260_131;

    /// <summary>Fails at the first one that is accepted, or that throws.</summary>
    /// <returns>How many were tried.</returns>
    public static int AllRefused(byte[] evidence, int sample, Func<byte[], AttestationResult> verify)
    {
        var bits = Vectors.IsLong ? [.. Enumerable.Range(0, evidence.Length * 8)] : Sample(evidence.Length * 8, sample);
        foreach (var bit in bits)
        {
            var flipped = (byte[])evidence.Clone();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            var result = verify(flipped);
            Assert.True(!Judged.IsAccepted(result), $"bit {bit} is not checked (seed {Seed})");
        }

        return bits.Length;
    }

    private static int[] Sample(int bits, int sample)
    {
        var random = new Random(Seed);
        return [.. Enumerable.Range(0, sample).Select(_ => random.Next(bits))];
    }
}
