using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Tests.Doubles;

/// <summary>Ed25519 by OpenSSL, which is not what the engine signs with.</summary>
internal sealed unsafe partial class Ed25519 : INoteSigner
{
    private const int KeyKind = 1087; // NID_ED25519
    private readonly nint _key;
    private readonly byte[] _publicKey = new byte[32];

    public Ed25519(ReadOnlySpan<byte> seed)
    {
        nuint length = 32;
        fixed (byte* secret = seed, output = _publicKey)
        {
            _key = NewPrivate(KeyKind, 0, secret, 32);
            if (_key == 0 || RawPublic(_key, output, &length) != 1) throw new ArgumentException("not a key", nameof(seed));
        }
    }

    public static Ed25519 FromSeed(string seed) => new(Hash256.Sha256(System.Text.Encoding.UTF8.GetBytes(seed)).Bytes);

    public ReadOnlySpan<byte> PublicKey => _publicKey;

    public byte[] SignNote(ReadOnlySpan<byte> text)
    {
        var signature = new byte[64];
        nuint length = 64;
        var context = NewContext();
        fixed (byte* message = text, output = signature)
            if (SignInit(context, 0, 0, 0, _key) != 1 || Sign(context, output, &length, message, (nuint)text.Length) != 1) throw new InvalidOperationException("signing failed");
        FreeContext(context);
        return signature;
    }

    public static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> text, ReadOnlySpan<byte> signature)
    {
        if (publicKey.Length != 32 || signature.Length != 64) return false;
        var context = NewContext();
        fixed (byte* key = publicKey, message = text, signed = signature)
        {
            var loaded = NewPublic(KeyKind, 0, key, 32);
            var holds = loaded != 0 && VerifyInit(context, 0, 0, 0, loaded) == 1 && Verify(context, signed, 64, message, (nuint)text.Length) == 1;
            FreeContext(context);
            FreeKey(loaded);
            return holds;
        }
    }

    [LibraryImport("libcrypto.so.3", EntryPoint = "EVP_PKEY_new_raw_private_key")]
    private static partial nint NewPrivate(int kind, nint engine, byte* key, nuint length);

    [LibraryImport("libcrypto.so.3", EntryPoint = "EVP_PKEY_new_raw_public_key")]
    private static partial nint NewPublic(int kind, nint engine, byte* key, nuint length);

    [LibraryImport("libcrypto.so.3", EntryPoint = "EVP_PKEY_get_raw_public_key")]
    private static partial int RawPublic(nint key, byte* output, nuint* length);

    [LibraryImport("libcrypto.so.3", EntryPoint = "EVP_PKEY_free")]
    private static partial void FreeKey(nint key);

    [LibraryImport("libcrypto.so.3", EntryPoint = "EVP_MD_CTX_new")]
    private static partial nint NewContext();

    [LibraryImport("libcrypto.so.3", EntryPoint = "EVP_MD_CTX_free")]
    private static partial void FreeContext(nint context);

    [LibraryImport("libcrypto.so.3", EntryPoint = "EVP_DigestSignInit")]
    private static partial int SignInit(nint context, nint keyContext, nint type, nint engine, nint key);

    [LibraryImport("libcrypto.so.3", EntryPoint = "EVP_DigestSign")]
    private static partial int Sign(nint context, byte* signature, nuint* signatureLength, byte* message, nuint length);

    [LibraryImport("libcrypto.so.3", EntryPoint = "EVP_DigestVerifyInit")]
    private static partial int VerifyInit(nint context, nint keyContext, nint type, nint engine, nint key);

    [LibraryImport("libcrypto.so.3", EntryPoint = "EVP_DigestVerify")]
    private static partial int Verify(nint context, byte* signature, nuint signatureLength, byte* message, nuint length);
}

/// <summary>Checks signatures with the doubles' own libraries.</summary>
internal sealed class TestSignatures : ISignatureVerifier
{
    public static readonly TestSignatures Instance = new();

    public bool VerifySecp256k1(ReadOnlySpan<byte> publicKey, in Hash256 digest, ReadOnlySpan<byte> signature) => Secp256k1.Verify(publicKey, digest, signature);

    public bool VerifyEd25519(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) => Ed25519.Verify(publicKey, message, signature);
}
