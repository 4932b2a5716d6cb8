using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Chain;

/// <summary>A signer that wants to see what it signs, for example one elsewhere: it is given payloads, never digests.</summary>
public interface IPayloadSigner : ITransactionSigner
{
    /// <summary>Signs the Keccak-256 of a transaction's payload.</summary>
    /// <returns>65 bytes, r ‖ s ‖ v with v 0 or 1.</returns>
    /// <exception cref="TransactionSigningException">There is no signature now; the message holds no secret.</exception>
    ValueTask<byte[]> SignAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken);
}

/// <summary>A transaction was not signed: the signer did not answer, refused, or answered something else than its key's signature.</summary>
public sealed class TransactionSigningException : Exception
{
    public TransactionSigningException(string message) : base(message) { }

    public TransactionSigningException() { }

    public TransactionSigningException(string message, Exception innerException) : base(message, innerException) { }
}

internal static class TransactionSigning
{
    /// <summary>Has a payload signed by whichever kind of signer this is.</summary>
    public static ValueTask<byte[]> SignPayloadAsync(this ITransactionSigner signer, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        signer is IPayloadSigner seeing ? seeing.SignAsync(payload, cancellationToken) : new(signer.SignDigest(Keccak256.Hash(payload.Span)));
}
