namespace OpenGradient.Engine.Attestation;

/// <summary>The secp256k1 key behind software evidence, from a protected file. For development: it proves nothing about a machine.</summary>
public sealed class SoftwareRoot : IDisposable
{
    private readonly SecretBytes _secret;

    private SoftwareRoot(AttestationShim shim, SecretBytes secret)
    {
        _secret = secret;
        PublicKey = NativeSignatures.Compress(new NativeSignatures(shim).PublicKeyOf(secret.Span));
    }

    /// <summary>33 bytes, compressed: what a development trust file names.</summary>
    public ReadOnlyMemory<byte> PublicKey { get; }

    internal ReadOnlySpan<byte> Secret => _secret.Span;

    /// <summary>Reads the key file, or creates it on first use.</summary>
    /// <exception cref="AttestationException">The file is no key, or others have access to it.</exception>
    public static SoftwareRoot Open(AttestationShim shim, string path) =>
        new(shim, SecretFile.ReadOrCreateKey(shim, path, key => TransactionKey.IsKey(shim, key)));

    public void Dispose() => _secret.Dispose();

    public override string ToString() => $"software root {Convert.ToHexStringLower(PublicKey.Span)}";
}
