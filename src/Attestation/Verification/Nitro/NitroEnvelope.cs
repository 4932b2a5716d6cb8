namespace OpenGradient.Engine.Attestation.Verification.Nitro;

/// <summary>COSE_Sign1 (RFC 9052, section 4.2) exactly as the NSM writes it: untagged, ES384, nothing unprotected.</summary>
/// <param name="Payload">The document's bytes.</param>
/// <param name="Signature">r ‖ s, 96 bytes.</param>
/// <param name="Signed">The Sig_structure of RFC 9052, section 4.4: what the signature is over, and what identifies the evidence.</param>
internal sealed record NitroEnvelope(ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte> Signature, byte[] Signed)
{
    public const int SignatureSize = 96;

    // {1: -35}: ES384 (RFC 9053, section 2.1).
    private static ReadOnlySpan<byte> Es384 => [0xA1, 0x01, 0x38, 0x22];

    // ["Signature1", protected, no external data, payload]: the first three, and the array's head.
    private static readonly byte[] SignedStart = [0x84, 0x6A, .. "Signature1"u8, 0x44, 0xA1, 0x01, 0x38, 0x22, 0x40];

    /// <returns>Null, with a reason (Encoding, Version), where it is anything else.</returns>
    public static NitroEnvelope? Read(ReadOnlyMemory<byte> evidence, ReasonList reasons)
    {
        try
        {
            var cursor = new CborCursor(evidence);
            cursor.Elements("envelope", 4, 4);
            var algorithm = cursor.Bytes("protected header", 0, 64);
            if (!algorithm.Span.SequenceEqual(Es384))
            {
                reasons.Refuse(AttestationCheck.Version, "the signature algorithm is not ES384 alone");
                return null;
            }

            cursor.Entries("unprotected header", 0, 0);
            var payload = cursor.Bytes("payload", 1, NitroVerifier.LargestEvidence);
            var signature = cursor.Bytes("signature", SignatureSize, SignatureSize);
            cursor.End("envelope");
            return new NitroEnvelope(payload, signature, SigStructure(payload.Span));
        }
        catch (FormatException e)
        {
            reasons.Refuse(AttestationCheck.Encoding, e.Message);
            return null;
        }
    }

    private static byte[] SigStructure(ReadOnlySpan<byte> payload)
    {
        byte[] head = payload.Length switch
        {
            < 24 => [(byte)(0x40 | payload.Length)],
            < 256 => [0x58, (byte)payload.Length],
            _ => [0x59, (byte)(payload.Length >> 8), (byte)payload.Length],
        };
        return [.. SignedStart, .. head, .. payload];
    }
}
