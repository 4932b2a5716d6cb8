using System.Security.Cryptography;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification.Tpm;

/// <summary>What the enrolling side keeps until the answer comes: nothing secret, so any file will do.</summary>
/// <param name="KeyName">The attestation key, as the policy's "keys" names it.</param>
/// <param name="AnswerDigest">SHA-256 of the one right answer.</param>
public sealed record TpmExpectation(string KeyName, Hash256 AnswerDigest)
{
    private const int NameLetters = 68;

    /// <summary>True where the answer proves that the key lives in the TPM that the challenge was for.</summary>
    public bool IsMetBy(ReadOnlySpan<byte> answer) => CryptographicOperations.FixedTimeEquals(SHA256.HashData(answer), AnswerDigest.Bytes);

    /// <summary>Name, space, digest, line feed.</summary>
    public override string ToString() => $"{KeyName} {AnswerDigest}\n";

    /// <exception cref="FormatException">Not what <see cref="ToString"/> writes.</exception>
    public static TpmExpectation Parse(string text)
    {
        var parts = text.TrimEnd('\n').Split(' ');
        var isName = parts.Length == 2 && parts[0].Length == NameLetters && parts[0].StartsWith("000b", StringComparison.Ordinal) && parts[0].All(char.IsAsciiHexDigitLower);
        if (!isName || parts[1].Length != 2 * Hash256.Size) throw new FormatException("not the expectation of an enrolment: a key's name and a digest");
        return new TpmExpectation(parts[0], new Hash256(Convert.FromHexString(parts[1])));
    }
}
