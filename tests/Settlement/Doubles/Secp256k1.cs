using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Tests.Doubles;

/// <summary>Signs with Debian's libsecp256k1, which signs deterministically (RFC 6979).</summary>
internal sealed unsafe partial class Secp256k1 : ITransactionSigner
{
    private const uint ContextSign = 0x301; // and verify
    private const uint Uncompressed = 2;
    private static readonly nint Context = ContextCreate(ContextSign);
    private readonly byte[] _key;

    public Secp256k1(ReadOnlySpan<byte> key)
    {
        _key = key.ToArray();
        PublicKey = new byte[65];
        var parsed = stackalloc byte[64];
        nuint length = 65;
        fixed (byte* secret = _key, output = PublicKey)
        {
            if (PubkeyCreate(Context, parsed, secret) != 1) throw new ArgumentException("not a key", nameof(key));
            _ = PubkeySerialize(Context, output, &length, parsed, Uncompressed);
        }

        Address = EvmAddress.OfPublicKey(PublicKey);
    }

    public static Secp256k1 FromSeed(string seed) => new(Hash256.Sha256(System.Text.Encoding.UTF8.GetBytes(seed)).Bytes);

    public byte[] PublicKey { get; }

    public EvmAddress Address { get; }

    public byte[] SignDigest(in Hash256 digest)
    {
        var signature = new byte[65];
        var recoverable = stackalloc byte[65];
        int id;
        fixed (byte* secret = _key, output = signature, message = digest.Bytes)
        {
            if (SignRecoverable(Context, recoverable, message, secret, 0, 0) != 1) throw new InvalidOperationException("signing failed");
            _ = SerializeCompact(Context, output, &id, recoverable);
        }

        signature[64] = (byte)id;
        return signature;
    }

    public static bool Verify(ReadOnlySpan<byte> publicKey, in Hash256 digest, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != 65 || signature[64] > 3) return false;
        var recoverable = stackalloc byte[65];
        var parsed = stackalloc byte[64];
        Span<byte> recovered = stackalloc byte[65];
        nuint length = 65;
        fixed (byte* compact = signature, message = digest.Bytes, output = recovered)
        {
            if (ParseCompact(Context, recoverable, compact, signature[64]) != 1 || Recover(Context, parsed, recoverable, message) != 1) return false;
            _ = PubkeySerialize(Context, output, &length, parsed, Uncompressed);
        }

        return publicKey.SequenceEqual(recovered);
    }

    [LibraryImport("libsecp256k1.so.1", EntryPoint = "secp256k1_ecdsa_recoverable_signature_parse_compact")]
    private static partial int ParseCompact(nint context, byte* signature, byte* input, int id);

    [LibraryImport("libsecp256k1.so.1", EntryPoint = "secp256k1_ecdsa_recover")]
    private static partial int Recover(nint context, byte* publicKey, byte* signature, byte* message);

    [LibraryImport("libsecp256k1.so.1", EntryPoint = "secp256k1_context_create")]
    private static partial nint ContextCreate(uint flags);

    [LibraryImport("libsecp256k1.so.1", EntryPoint = "secp256k1_ec_pubkey_create")]
    private static partial int PubkeyCreate(nint context, byte* publicKey, byte* secret);

    [LibraryImport("libsecp256k1.so.1", EntryPoint = "secp256k1_ec_pubkey_serialize")]
    private static partial int PubkeySerialize(nint context, byte* output, nuint* length, byte* publicKey, uint flags);

    [LibraryImport("libsecp256k1.so.1", EntryPoint = "secp256k1_ecdsa_sign_recoverable")]
    private static partial int SignRecoverable(nint context, byte* signature, byte* message, byte* secret, nint nonce, nint data);

    [LibraryImport("libsecp256k1.so.1", EntryPoint = "secp256k1_ecdsa_recoverable_signature_serialize_compact")]
    private static partial int SerializeCompact(nint context, byte* output, int* id, byte* signature);
}
