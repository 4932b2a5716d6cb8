using System.Runtime.InteropServices;
using OpenGradient.Engine.Attestation.Interop;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation;

/// <summary>secp256k1 and Ed25519 through the shim. Stateless; safe for concurrent calls.</summary>
public sealed unsafe class NativeSignatures(AttestationShim shim) : ISignatureVerifier
{
    public const int SecretSize = 32;
    public const int Secp256k1SignatureSize = 65;
    public const int Ed25519SignatureSize = 64;
    public const int Ed25519KeySize = 32;

    private readonly ShimFunctions _functions = shim.Functions;

    /// <inheritdoc/>
    public bool VerifySecp256k1(ReadOnlySpan<byte> publicKey, in Hash256 digest, ReadOnlySpan<byte> signature)
    {
        if (publicKey.Length is not (33 or 65) || signature.Length != Secp256k1SignatureSize) return false;
        fixed (byte* key = publicKey, message = digest.Bytes, signed = signature)
            return _functions.Secp256k1Verify(key, (nuint)publicKey.Length, message, signed) == ShimStatus.Ok;
    }

    /// <inheritdoc/>
    public bool VerifyEd25519(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (publicKey.Length != Ed25519KeySize || signature.Length != Ed25519SignatureSize) return false;
        fixed (byte* key = publicKey, text = message, signed = signature)
            return _functions.Ed25519Verify(key, text, (nuint)message.Length, signed) == ShimStatus.Ok;
    }

    /// <summary>The uncompressed key (65 bytes) that made a signature; null when there is none, s is high, or v is not 0 or 1.</summary>
    public byte[]? Recover(in Hash256 digest, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != Secp256k1SignatureSize) return null;
        var publicKey = new byte[65];
        fixed (byte* message = digest.Bytes, signed = signature, key = publicKey)
            return _functions.Secp256k1Recover(message, signed, key) == ShimStatus.Ok ? publicKey : null;
    }

    /// <summary>The account that made a signature, as the EVM's ecrecover gives it; null as in <see cref="Recover"/>.</summary>
    public EvmAddress? RecoverAddress(in Hash256 digest, ReadOnlySpan<byte> signature) =>
        Recover(digest, signature) is { } key ? EvmAddress.OfPublicKey(key) : null;

    /// <summary>The uncompressed public key (65 bytes) of a secret of 32 bytes.</summary>
    /// <exception cref="AttestationException">The secret is not a secp256k1 key.</exception>
    public byte[] PublicKeyOf(ReadOnlySpan<byte> secret)
    {
        RequireSecret(secret);
        var publicKey = new byte[65];
        fixed (byte* bytes = secret, key = publicKey)
            ShimStatus.Check(_functions.Secp256k1PublicKey(bytes, key), "not a secp256k1 secret");
        return publicKey;
    }

    /// <summary>Signs with a caller's secret, RFC 6979: one digest has one signature. 65 bytes, r ‖ s ‖ v with v 0 or 1.</summary>
    /// <exception cref="AttestationException">The secret is not a secp256k1 key.</exception>
    public byte[] Sign(ReadOnlySpan<byte> secret, in Hash256 digest)
    {
        RequireSecret(secret);
        var signature = new byte[Secp256k1SignatureSize];
        fixed (byte* bytes = secret, message = digest.Bytes, signed = signature)
            ShimStatus.Check(_functions.Secp256k1Sign(bytes, message, signed), "not a secp256k1 secret");
        return signature;
    }

    /// <summary>The Ed25519 public key (32 bytes) of a seed of 32 bytes.</summary>
    public byte[] Ed25519PublicKeyOf(ReadOnlySpan<byte> seed)
    {
        RequireSecret(seed);
        var publicKey = new byte[Ed25519KeySize];
        fixed (byte* bytes = seed, key = publicKey)
            ShimStatus.Check(_functions.Ed25519PublicKey(bytes, key), "no Ed25519 key could be made");
        return publicKey;
    }

    /// <summary>An Ed25519 signature (64 bytes) by the key of a seed of 32 bytes.</summary>
    public byte[] SignEd25519(ReadOnlySpan<byte> seed, ReadOnlySpan<byte> message)
    {
        RequireSecret(seed);
        var signature = new byte[Ed25519SignatureSize];
        fixed (byte* bytes = seed, text = message, signed = signature)
            ShimStatus.Check(_functions.Ed25519Sign(bytes, text, (nuint)message.Length, signed), "Ed25519 signing failed");
        return signature;
    }

    /// <summary>The compressed form (33 bytes) of an uncompressed key (65 bytes).</summary>
    public static byte[] Compress(ReadOnlySpan<byte> uncompressed) =>
        uncompressed.Length == 65 ? [(byte)(2 | (uncompressed[64] & 1)), .. uncompressed[1..33]] : throw new ArgumentException("an uncompressed key is 65 bytes", nameof(uncompressed));

    private static void RequireSecret(ReadOnlySpan<byte> secret)
    {
        if (secret.Length != SecretSize) throw new ArgumentException($"a secret is {SecretSize} bytes", nameof(secret));
    }
}
