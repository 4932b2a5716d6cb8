namespace OpenGradient.Engine.Formats;

/// <summary>Hashes the rows of an executed batch, builds their tree and signs the statement. Safe for concurrent calls.</summary>
public interface IBatchSealer
{
    /// <summary>Seals one batch.</summary>
    /// <exception cref="SealingException">The shim refused or the epoch has ended; nothing was signed.</exception>
    SealedBatch Seal(in BatchToSeal batch);

    /// <summary>
    /// The sealer for a batch that begins to execute now. Where keys are rotated, what began under one key is sealed by it while
    /// it is kept, and what begins afterwards by its successor. A sealer with one key is its own.
    /// </summary>
    IBatchSealer ForBatch() => this;
}

/// <summary>Takes sealed batches off the fast path. Safe for concurrent calls.</summary>
public interface ISealedBatchSink
{
    /// <summary>Hands a batch over without waiting. False when the sink is full or has failed: the receipts stay signed promises that their holders can resubmit.</summary>
    bool TryAccept(SealedBatch batch);
}

/// <summary>Asked once per request: may the trust gap grow?</summary>
public interface IAdmissionGate
{
    /// <summary>Null to admit; otherwise how long to wait before another try.</summary>
    TimeSpan? RetryAfter();

    /// <summary>What the engine asks, once per request. A gate that only admits or refuses needs no more than <see cref="RetryAfter"/>.</summary>
    AdmissionAdvice Advise() => RetryAfter() is { } wait ? AdmissionAdvice.Refuse(wait) : default;
}

public enum AdmissionVerdict
{
    /// <summary>At once.</summary>
    Admit,

    /// <summary>After the wait.</summary>
    SlowDown,

    /// <summary>Not now; another try may succeed after the wait.</summary>
    Refuse,
}

/// <summary>What a gate says of one request. The default admits it at once.</summary>
public readonly record struct AdmissionAdvice(AdmissionVerdict Verdict, TimeSpan Wait)
{
    public static AdmissionAdvice Refuse(TimeSpan wait) => new(AdmissionVerdict.Refuse, wait);

    public static AdmissionAdvice SlowDown(TimeSpan wait) => new(AdmissionVerdict.SlowDown, wait);
}

/// <summary>Signs log checkpoints as EIP-712 typed data with the current epoch's key.</summary>
public interface ICheckpointSigner
{
    /// <summary>The epoch whose key signs now.</summary>
    Epoch Epoch { get; }

    /// <summary>65 bytes, r ‖ s ‖ v with v 0 or 1.</summary>
    byte[] SignCheckpoint(in CheckpointClaim claim);
}

/// <summary>Signs the log's C2SP notes with its persistent Ed25519 key.</summary>
public interface INoteSigner
{
    /// <summary>32 bytes.</summary>
    ReadOnlySpan<byte> PublicKey { get; }

    /// <summary>64 bytes.</summary>
    byte[] SignNote(ReadOnlySpan<byte> text);
}

/// <summary>Signs chain transactions. Separate from every enclave key.</summary>
public interface ITransactionSigner
{
    EvmAddress Address { get; }

    /// <summary>65 bytes, r ‖ s ‖ v with v 0 or 1, RFC 6979 deterministic: one intent has one signature.</summary>
    byte[] SignDigest(in Hash256 digest);
}

/// <summary>Checks and recovers secp256k1 signatures.</summary>
public interface ISignatureVerifier
{
    /// <summary>Verifies 65 bytes r ‖ s ‖ v over a digest under a public key (33 or 65 bytes, SEC 1). High s, wrong v and malformed keys are false.</summary>
    bool VerifySecp256k1(ReadOnlySpan<byte> publicKey, in Hash256 digest, ReadOnlySpan<byte> signature);

    /// <summary>Verifies 64 bytes over a message under a 32-byte Ed25519 key.</summary>
    bool VerifyEd25519(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature);
}

/// <summary>Judges evidence documents (docs/formats.md, "Epoch binding and evidence").</summary>
public interface IEvidenceVerifier
{
    /// <summary>Empty when the document proves <paramref name="evidence"/>'s binding under the trust given; otherwise every reason, in the order of the closed set.</summary>
    /// <param name="evidence">What is judged.</param>
    /// <param name="trust">What is accepted.</param>
    /// <param name="at">The time to judge at: certificates, lists and ages are held against it. Software evidence has none.</param>
    IReadOnlyList<VerificationFailure> Verify(Evidence evidence, EvidenceTrust trust, DateTimeOffset at);
}

/// <summary>Re-checks a statement from its bytes alone, behind the fast path. Safe for concurrent calls.</summary>
public interface IStatementVerifier
{
    /// <summary>Empty when everything holds; otherwise every reason, and the statement is quarantined.</summary>
    IReadOnlyList<VerificationReason> Verify(ReadOnlyMemory<byte> statement);
}

/// <summary>One life of the signing key, as later stages need it.</summary>
/// <param name="Id">H(binding).</param>
/// <param name="Address">The EVM address of the epoch's key.</param>
/// <param name="Evidence">The encoded evidence envelope.</param>
public sealed record Epoch(Hash256 Id, EvmAddress Address, ReadOnlyMemory<byte> Evidence)
{
    /// <summary>What the contract stores for the key.</summary>
    public Hash256 EvidenceDigest => Hash256.Sha256(Evidence.Span);
}

/// <summary>A batch could not be sealed.</summary>
public sealed class SealingException : Exception
{
    public SealingException(string message) : base(message) { }

    public SealingException() { }

    public SealingException(string message, Exception innerException) : base(message, innerException) { }
}
