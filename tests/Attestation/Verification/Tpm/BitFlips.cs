using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Tpm;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Tpm;

/// <summary>Evidence with one bit flipped: a seeded sample, every bit in the long mode.</summary>
internal static class BitFlips
{
    private const int Sample = 400;

    public static void AssertNoneAccepted(byte[] whole, VerificationContext context, int seed)
    {
        Assert.Equal(AttestationStatus.Accepted, TpmVerifier.Verify(whole, context).Status);
        var random = new Random(seed);
        var bits = Vectors.IsLong ? Enumerable.Range(0, 8 * whole.Length) : Enumerable.Range(0, Sample).Select(_ => random.Next(8 * whole.Length));
        foreach (var bit in bits)
        {
            var flipped = (byte[])whole.Clone();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.True(TpmVerifier.Verify(flipped, context).Status != AttestationStatus.Accepted, $"bit {bit % 8} of byte {bit / 8} was flipped unnoticed");
        }
    }
}
