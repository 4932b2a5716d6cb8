using System.Security.Cryptography;

namespace OpenGradient.Engine.Attestation;

/// <summary>32 secret bytes that the collector does not move and that are zeroed on dispose.</summary>
internal sealed class SecretBytes : IDisposable
{
    private readonly byte[] _bytes = GC.AllocateArray<byte>(NativeSignatures.SecretSize, pinned: true);
    private bool _disposed;

    public SecretBytes(ReadOnlySpan<byte> secret) => secret.CopyTo(_bytes);

    /// <exception cref="ObjectDisposedException">The owner was disposed.</exception>
    public ReadOnlySpan<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _bytes;
        }
    }

    public void Dispose()
    {
        _disposed = true;
        CryptographicOperations.ZeroMemory(_bytes);
    }

    public override string ToString() => "32 secret bytes";
}
