using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation;

/// <summary>The log's persistent Ed25519 key, from a protected file. It outlives epochs; witnesses pin it. Safe for concurrent calls.</summary>
public sealed class LogKey : INoteSigner, IDisposable
{
    private readonly NativeSignatures _signatures;
    private readonly SecretBytes _seed;
    private readonly byte[] _publicKey;

    private LogKey(AttestationShim shim, SecretBytes seed)
    {
        _signatures = new NativeSignatures(shim);
        _seed = seed;
        _publicKey = _signatures.Ed25519PublicKeyOf(seed.Span);
        LogId = SignedNote.LogIdOf(_publicKey);
    }

    /// <inheritdoc/>
    public ReadOnlySpan<byte> PublicKey => _publicKey;

    /// <summary>The identity of the log that this key signs for.</summary>
    public Hash256 LogId { get; }

    /// <summary>Reads the key file, or creates it on first use.</summary>
    /// <exception cref="AttestationException">The file is no key, or others have access to it.</exception>
    public static LogKey Open(AttestationShim shim, string path) => new(shim, SecretFile.ReadOrCreateKey(shim, path, static _ => true));

    /// <inheritdoc/>
    public byte[] SignNote(ReadOnlySpan<byte> text) => _signatures.SignEd25519(_seed.Span, text);

    public void Dispose() => _seed.Dispose();

    public override string ToString() => $"log key of {LogId}";
}
