using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification.Tpm;

/// <summary>
/// Finds out once whether an attestation key lives in the TPM of an endorsement certificate: a quote alone cannot say so. Whoever enrols
/// makes a challenge, the machine answers it with its TPM, and where the answer is right the key's name goes into the policy's "keys".
/// </summary>
public sealed class TpmEnrolment
{
    private const int SecretSize = 32;

    private TpmEnrolment(string keyName, AsymmetricAlgorithm endorsement)
    {
        var secret = RandomNumberGenerator.GetBytes(SecretSize);
        Expectation = new TpmExpectation(keyName, Hash256.Sha256(secret));
        Challenge = TpmCredential.Make(endorsement, Convert.FromHexString(keyName), secret);
        CryptographicOperations.ZeroMemory(secret);
    }

    /// <summary>What the answer is held against.</summary>
    public TpmExpectation Expectation { get; }

    /// <summary>For the machine; of no use to any other. <see cref="TpmAnswer"/> answers it.</summary>
    public ReadOnlyMemory<byte> Challenge { get; }

    /// <summary>
    /// Judges a quote as if its key were in the policy already: everything else has to hold, the endorsement certificate's path above all.
    /// </summary>
    /// <param name="evidence">A quote with the key's TPMT_PUBLIC and the endorsement certificate.</param>
    /// <param name="context">As for verification; the policy's "keys" are not looked at, and an endorsement is always asked for.</param>
    /// <param name="result">The judgement; anything but accepted ends the enrolment.</param>
    /// <returns>Null where the evidence is not accepted: also where its endorsement key is neither RSA of 2,048 bits nor on P-256.</returns>
    public static TpmEnrolment? Begin(ReadOnlyMemory<byte> evidence, VerificationContext context, out AttestationResult result)
    {
        var reasons = new ReasonList();
        if (context.Policy.Tpm is not { } policy || NameOf(evidence) is not { } name)
        {
            reasons.Refuse(AttestationCheck.Kind, "not a quote with a named key, or the policy accepts no tpm evidence");
            result = reasons.Result(context, null, null);
            return null;
        }

        var asEnrolled = context.Policy with { Tpm = policy with { Keys = [name], RequireEndorsement = true } };
        // Only evidence that counts is remembered.
        result = TpmVerifier.Verify(evidence, context with { Policy = asEnrolled, History = null });
        if (result.Status != AttestationStatus.Accepted) return null;
        using var endorsement = EndorsementOf(evidence);
        if (endorsement is not null) return new TpmEnrolment(name, endorsement);
        reasons.Refuse(AttestationCheck.Key, "the endorsement key is neither RSA of 2,048 bits nor on P-256: no challenge can be made for it");
        result = reasons.Result(context, result.Claims, result.Identity);
        return null;
    }

    private static string? NameOf(ReadOnlyMemory<byte> evidence)
    {
        try
        {
            var envelope = evidence.Length <= TpmEvidence.LargestSize ? TpmEvidence.Decode(evidence.Span) : null;
            return envelope is { Form: TpmKeyForm.Public } ? "000b" + Convert.ToHexStringLower(SHA256.HashData(envelope.Key.Span)) : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    // The evidence was accepted, so the certificate can be read.
    private static AsymmetricAlgorithm? EndorsementOf(ReadOnlyMemory<byte> evidence)
    {
        using var certificate = X509CertificateLoader.LoadCertificate(TpmEvidence.Decode(evidence.Span).Endorsement[0].Span);
        return TpmEndorsementKey.Read(certificate);
    }
}
