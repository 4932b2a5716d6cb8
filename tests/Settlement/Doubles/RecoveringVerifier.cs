using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Tests.Doubles;

/// <summary>Checks secp256k1 signatures by recovering the key, with Debian's libsecp256k1.</summary>
internal sealed unsafe partial class RecoveringVerifier : ISignatureVerifier
{
    private static readonly nint Context = ContextCreate(0x101);

    public bool VerifySecp256k1(ReadOnlySpan<byte> publicKey, in Hash256 digest, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != 65 || signature[64] > 3) return false;
        byte* parsed = stackalloc byte[65], recovered = stackalloc byte[64], serialized = stackalloc byte[65];
        nuint length = 65;
        fixed (byte* input = signature, message = digest.Bytes)
        {
            if (Parse(Context, parsed, input, signature[64]) != 1 || Recover(Context, recovered, parsed, message) != 1) return false;
        }

        _ = Serialize(Context, serialized, &length, recovered, 2);
        return publicKey.SequenceEqual(new ReadOnlySpan<byte>(serialized, 65));
    }

    public bool VerifyEd25519(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) => throw new NotSupportedException();

    [LibraryImport("libsecp256k1.so.1", EntryPoint = "secp256k1_context_create")]
    private static partial nint ContextCreate(uint flags);

    [LibraryImport("libsecp256k1.so.1", EntryPoint = "secp256k1_ecdsa_recoverable_signature_parse_compact")]
    private static partial int Parse(nint context, byte* signature, byte* input, int id);

    [LibraryImport("libsecp256k1.so.1", EntryPoint = "secp256k1_ecdsa_recover")]
    private static partial int Recover(nint context, byte* publicKey, byte* signature, byte* message);

    [LibraryImport("libsecp256k1.so.1", EntryPoint = "secp256k1_ec_pubkey_serialize")]
    private static partial int Serialize(nint context, byte* output, nuint* length, byte* publicKey, uint flags);
}
