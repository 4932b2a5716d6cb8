using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification;

/// <summary>What the caller knows besides the receipt; null is not compared.</summary>
/// <param name="Request">Tensor-set digest of the input that was sent.</param>
/// <param name="Output">Tensor-set digest of the answer that came back.</param>
public sealed record ExpectedDigests(Hash256? Request = null, Hash256? Output = null);

/// <summary>
/// The offline part of docs/formats.md, "Verification": steps 1 to 6, and that an anchor is there when the policy needs one.
/// Stateless; safe for concurrent calls.
/// </summary>
/// <param name="signatures">Checks signatures.</param>
/// <param name="evidence">Judges evidence.</param>
/// <param name="clock">Says what now is, where a caller does not say when to judge at.</param>
public sealed class BundleVerifier(ISignatureVerifier signatures, IEvidenceVerifier evidence, TimeProvider? clock = null)
{
    /// <summary>Checks a file: a bundle, or a receipt alone. Empty when everything holds; otherwise every reason, in the order of the steps.</summary>
    /// <param name="file">Its bytes.</param>
    /// <param name="trust">What is accepted.</param>
    /// <param name="expected">What the caller knows besides.</param>
    /// <param name="at">The time to judge each evidence at; null: now.</param>
    public IReadOnlyList<VerificationFailure> Verify(ReadOnlySpan<byte> file, TrustPolicy trust, ExpectedDigests? expected = null, Func<Evidence, DateTimeOffset>? at = null)
    {
        var (bundle, failure) = Read(file);
        return bundle is not null ? Verify(bundle, trust, expected, at) : [failure!];
    }

    /// <summary>A bundle from a file that holds one, or a receipt alone; otherwise why not.</summary>
    public static (ReceiptBundle? Bundle, VerificationFailure? Failure) Read(ReadOnlySpan<byte> file)
    {
        if (file.StartsWith("OGE receipt v1"u8))
        {
            var (receipt, why) = CanonicalForm.Receipt(file);
            return receipt is not null ? (new ReceiptBundle { Receipt = receipt }, null) : (null, new VerificationFailure(VerificationReason.ReceiptMalformed, why));
        }

        var (bundle, detail) = CanonicalForm.Bundle(file);
        return bundle is not null ? (bundle, null) : (null, new VerificationFailure(VerificationReason.BundleMalformed, detail));
    }

    /// <summary>Checks a decoded bundle. Empty when everything holds; otherwise every reason, in the order of the steps.</summary>
    /// <param name="bundle">What is checked.</param>
    /// <param name="trust">What is accepted.</param>
    /// <param name="expected">What the caller knows besides.</param>
    /// <param name="at">The time to judge each evidence at; null: now.</param>
    public IReadOnlyList<VerificationFailure> Verify(ReceiptBundle bundle, TrustPolicy trust, ExpectedDigests? expected = null, Func<Evidence, DateTimeOffset>? at = null)
    {
        var failures = new FailureList();
        if (bundle.Receipt.Leaf.Length != RowLeaf.Size)
        {
            failures.Add(VerificationReason.ReceiptMalformed, $"the row leaf is {bundle.Receipt.Leaf.Length} bytes, not {RowLeaf.Size}");
            return failures.ToArray();
        }

        if (CanonicalForm.Statement(bundle.Receipt.Statement.Span) is not { } statement)
        {
            failures.Add(VerificationReason.StatementMalformed, "the statement's bytes are not a statement's canonical ones");
            return failures.ToArray();
        }

        var now = (clock ?? TimeProvider.System).GetUtcNow();
        var evidenceCheck = new EvidenceCheck(evidence, trust, at ?? (_ => now), statement, failures);
        var binding = EvidenceCheck.Decode(bundle.Evidence);
        CheckStatement(bundle.Receipt.Statement, statement, binding, trust, failures);
        RowCheck.Run(bundle.Receipt, statement, expected, failures);
        evidenceCheck.Run(bundle.Evidence, binding, statement.Epoch, "the statement's epoch");
        new ProofCheck(signatures, evidenceCheck, trust, statement, failures).Run(bundle, binding);
        return failures.ToArray();
    }

    private void CheckStatement(ReadOnlyMemory<byte> bytes, Statement statement, EpochBinding? binding, TrustPolicy trust, FailureList failures)
    {
        if (!trust.Logs.Contains(statement.LogId)) failures.Add(VerificationReason.LogNotTrusted, $"log {statement.LogId} is not in the trust file");
        if (trust.Models.Count > 0 && !trust.Models.Contains(statement.Context.ModelIdentity))
            failures.Add(VerificationReason.ModelNotTrusted, $"model identity {statement.Context.ModelIdentity} is not in the trust file");
        if (binding is null) return; // without a key there is no signature to check; step 4 says why
        var digest = Hash256.Sha256(bytes.Span[..Statement.HeaderSize]);
        if (!signatures.VerifySecp256k1(binding.SigningKey.Span, digest, statement.Signature.Span))
            failures.Add(VerificationReason.StatementSignatureInvalid, "the statement is not signed by the key that the evidence binds");
    }
}
