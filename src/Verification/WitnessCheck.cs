using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification;

/// <summary>Step 6, the witnesses' part: k of n cosignatures, as C2SP describes. A witness that the policy does not name says nothing.</summary>
internal sealed class WitnessCheck(ISignatureVerifier signatures, TrustPolicy trust, FailureList failures)
{
    public void Run(SignedCheckpoint checkpoint, ReadOnlyMemory<byte> lines)
    {
        if (trust.Witnesses.Count == 0 && lines.IsEmpty) return;
        var text = SignedNote.Text(SignedNote.LogIdOf(checkpoint.LogPublicKey.Span), checkpoint.Size, checkpoint.Root);
        var given = Read(lines);
        var cosigned = 0;
        foreach (var witness in trust.Witnesses)
        {
            var own = given.Where(line => line.IsBy(witness)).ToArray();
            if (own.Length == 0) continue;
            if (own.All(line => Cosignature.Verify(witness, text, line.Signature.Span, signatures))) cosigned++;
            else failures.Add(VerificationReason.CosignatureInvalid, $"the cosignature that names witness {witness.Name} is not that witness's over this checkpoint");
        }

        if (cosigned < trust.WitnessQuorum)
            failures.Add(VerificationReason.WitnessQuorumMissed, $"{cosigned} of the {trust.Witnesses.Count} witnesses in the trust file cosigned the checkpoint, {trust.WitnessQuorum} are asked for");
    }

    private IReadOnlyList<NoteSignature> Read(ReadOnlyMemory<byte> lines)
    {
        if (lines.IsEmpty) return [];
        try
        {
            return CheckpointNote.ParseSignatures(lines.Span);
        }
        catch (FormatException malformed)
        {
            failures.Add(VerificationReason.BundleMalformed, malformed.Message);
            return [];
        }
    }
}
