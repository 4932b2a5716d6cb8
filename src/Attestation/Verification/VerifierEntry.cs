using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text.Json;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification;

/// <summary>What a verifier found so far. What was set stays where it could not go on.</summary>
internal sealed class Finding
{
    /// <summary>Set once the signed bytes are known.</summary>
    public Hash256? Identity { get; set; }

    /// <summary>Set only once signature and path hold.</summary>
    public AttestationClaims? Claims { get; set; }
}

/// <summary>What every kind's verifier does around its own judgement: the policy's section, the size, and no exception for what the input holds.</summary>
internal static class VerifierEntry
{
    public delegate void Judgement<in TPolicy>(TPolicy policy, ReasonList reasons, Finding finding);

    /// <param name="kind">For the reasons' text.</param>
    /// <param name="policy">The policy's section; null: the kind is not accepted.</param>
    /// <param name="evidence">Its size alone is looked at here.</param>
    /// <param name="largest">Bytes. Larger evidence is not read.</param>
    /// <param name="context">For the result.</param>
    /// <param name="judge">Reads and judges.</param>
    public static AttestationResult Verify<TPolicy>(
        PlatformKind kind, TPolicy? policy, ReadOnlyMemory<byte> evidence, int largest, VerificationContext context, Judgement<TPolicy> judge) where TPolicy : class
    {
        var reasons = new ReasonList();
        var finding = new Finding();
        if (policy is null) reasons.Refuse(AttestationCheck.Kind, $"the policy does not accept {kind.Text()} evidence");
        else if (evidence.Length > largest) reasons.Refuse(AttestationCheck.Size, $"{evidence.Length} bytes; at most {largest} are read");
        else Judge(policy, judge, reasons, finding);
        return reasons.Result(context, finding.Claims, finding.Identity);
    }

    /// <summary>True for what parsers and the platform's library throw because of input. Anything else is this program's own failure.</summary>
    public static bool IsOfInput(Exception error) => error is ArgumentException or FormatException or ArithmeticException or InvalidOperationException
        or IndexOutOfRangeException or KeyNotFoundException or CryptographicException or AsnContentException or JsonException;

    private static void Judge<TPolicy>(TPolicy policy, Judgement<TPolicy> judge, ReasonList reasons, Finding finding)
    {
        try
        {
            judge(policy, reasons, finding);
        }
        catch (Exception error) when (IsOfInput(error))
        {
            // A certificate or key that the platform's library reads differently than the checks before did, for instance.
            finding.Claims = null;
            reasons.Refuse(AttestationCheck.Encoding, $"could not be read to its end: {error.GetType().Name}");
        }
    }
}
