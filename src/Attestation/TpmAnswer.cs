using System.Text;
using OpenGradient.Engine.Attestation.Interop;

namespace OpenGradient.Engine.Attestation;

/// <summary>What a machine answers to whoever enrols its TPM's attestation key.</summary>
public static class TpmAnswer
{
    public const int Size = 32;

    /// <param name="shim">The loaded shim.</param>
    /// <param name="challenge">As the enrolling side made it.</param>
    /// <param name="device">A TCTI's name ("swtpm:path=…"); null: the system's own TPM.</param>
    /// <returns>32 bytes, for the enrolling side alone.</returns>
    /// <exception cref="AttestationException">There is no TPM, or the challenge is for another one or another key.</exception>
    public static unsafe byte[] To(AttestationShim shim, ReadOnlySpan<byte> challenge, string? device = null)
    {
        var name = Encoding.UTF8.GetBytes(device ?? "");
        var answer = new byte[Size];
        NativeError error;
        fixed (byte* namePointer = name, challengePointer = challenge, answerPointer = answer)
            ShimStatus.Check(shim.Functions.TpmActivate(namePointer, (nuint)name.Length, challengePointer, (nuint)challenge.Length, answerPointer, &error), error);
        return answer;
    }
}
