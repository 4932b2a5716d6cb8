using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Interop;

/// <summary>
/// The exports of one loaded libog_attest.so (og_attest.h is their manual). Function pointers rather than imports by name,
/// because the library's path is deployment. The library is never unloaded: epochs and threads may still be inside it.
/// </summary>
internal sealed unsafe class ShimFunctions
{
    private readonly nint _library;
    private readonly string _path;

    public readonly delegate* unmanaged[Cdecl]<uint> AbiVersion;
    public readonly delegate* unmanaged[Cdecl]<uint, nuint> StructSize;
    public readonly delegate* unmanaged[Cdecl]<byte*> Version;
    public readonly delegate* unmanaged[Cdecl]<byte*> Sha256Provider;
    public readonly delegate* unmanaged[Cdecl]<byte*, NativeError*, int> BuildDigest;
    public readonly delegate* unmanaged[Cdecl]<NativeAttesterInfo*, nuint, nuint*, int> Attesters;

    public readonly delegate* unmanaged[Cdecl]<NativeEpochConfig*, nint*, NativeError*, int> EpochOpen;
    public readonly delegate* unmanaged[Cdecl]<nint, void> EpochClose;
    public readonly delegate* unmanaged[Cdecl]<nint, byte*, byte*, int> EpochDescribe;
    public readonly delegate* unmanaged[Cdecl]<nint, byte*, nuint, nuint*, NativeError*, int> EpochEvidence;
    public readonly delegate* unmanaged[Cdecl]<nint, byte*, nuint, ulong, byte*, nuint, nuint*, NativeError*, int> EpochChallenge;
    public readonly delegate* unmanaged[Cdecl]<nint, NativeBatch*, NativeSealed*, NativeError*, int> EpochSeal;
    public readonly delegate* unmanaged[Cdecl]<nint, NativeCheckpoint*, byte*, NativeError*, int> EpochSignCheckpoint;

    public readonly delegate* unmanaged[Cdecl]<byte*, nuint, byte*, nuint, byte*, NativeError*, int> TpmActivate;

    public readonly delegate* unmanaged[Cdecl]<byte*, byte*, int> Secp256k1PublicKey;
    public readonly delegate* unmanaged[Cdecl]<byte*, byte*, byte*, int> Secp256k1Sign;
    public readonly delegate* unmanaged[Cdecl]<byte*, nuint, byte*, byte*, int> Secp256k1Verify;
    public readonly delegate* unmanaged[Cdecl]<byte*, byte*, byte*, int> Secp256k1Recover;
    public readonly delegate* unmanaged[Cdecl]<byte*, byte*, int> Ed25519PublicKey;
    public readonly delegate* unmanaged[Cdecl]<byte*, byte*, nuint, byte*, int> Ed25519Sign;
    public readonly delegate* unmanaged[Cdecl]<byte*, byte*, nuint, byte*, int> Ed25519Verify;
    public readonly delegate* unmanaged[Cdecl]<byte*, nuint, byte*, nuint, ulong, ulong, ulong, byte*, nuint, int> Scrypt;
    public readonly delegate* unmanaged[Cdecl]<byte*, byte*, nuint, nuint*, NativeError*, int> SecretFileRead;
    public readonly delegate* unmanaged[Cdecl]<byte*, byte*, nuint, NativeError*, int> SecretFileCreate;

    /// <exception cref="ShimLoadException">Not this shim, or not this version of it.</exception>
    public ShimFunctions(nint library, string path)
    {
        _library = library;
        _path = path;
        AbiVersion = (delegate* unmanaged[Cdecl]<uint>)Export("og_abi_version");
        StructSize = (delegate* unmanaged[Cdecl]<uint, nuint>)Export("og_struct_size");
        Handshake();

        Version = (delegate* unmanaged[Cdecl]<byte*>)Export("og_version");
        Sha256Provider = (delegate* unmanaged[Cdecl]<byte*>)Export("og_sha256_provider");
        BuildDigest = (delegate* unmanaged[Cdecl]<byte*, NativeError*, int>)Export("og_build_digest");
        Attesters = (delegate* unmanaged[Cdecl]<NativeAttesterInfo*, nuint, nuint*, int>)Export("og_attesters");
        EpochOpen = (delegate* unmanaged[Cdecl]<NativeEpochConfig*, nint*, NativeError*, int>)Export("og_epoch_open");
        EpochClose = (delegate* unmanaged[Cdecl]<nint, void>)Export("og_epoch_close");
        EpochDescribe = (delegate* unmanaged[Cdecl]<nint, byte*, byte*, int>)Export("og_epoch_describe");
        EpochEvidence = (delegate* unmanaged[Cdecl]<nint, byte*, nuint, nuint*, NativeError*, int>)Export("og_epoch_evidence");
        EpochChallenge = (delegate* unmanaged[Cdecl]<nint, byte*, nuint, ulong, byte*, nuint, nuint*, NativeError*, int>)Export("og_epoch_challenge");
        EpochSeal = (delegate* unmanaged[Cdecl]<nint, NativeBatch*, NativeSealed*, NativeError*, int>)Export("og_epoch_seal");
        EpochSignCheckpoint = (delegate* unmanaged[Cdecl]<nint, NativeCheckpoint*, byte*, NativeError*, int>)Export("og_epoch_sign_checkpoint");
        TpmActivate = (delegate* unmanaged[Cdecl]<byte*, nuint, byte*, nuint, byte*, NativeError*, int>)Export("og_tpm_activate");
        Secp256k1PublicKey = (delegate* unmanaged[Cdecl]<byte*, byte*, int>)Export("og_secp256k1_public_key");
        Secp256k1Sign = (delegate* unmanaged[Cdecl]<byte*, byte*, byte*, int>)Export("og_secp256k1_sign");
        Secp256k1Verify = (delegate* unmanaged[Cdecl]<byte*, nuint, byte*, byte*, int>)Export("og_secp256k1_verify");
        Secp256k1Recover = (delegate* unmanaged[Cdecl]<byte*, byte*, byte*, int>)Export("og_secp256k1_recover");
        Ed25519PublicKey = (delegate* unmanaged[Cdecl]<byte*, byte*, int>)Export("og_ed25519_public_key");
        Ed25519Sign = (delegate* unmanaged[Cdecl]<byte*, byte*, nuint, byte*, int>)Export("og_ed25519_sign");
        Ed25519Verify = (delegate* unmanaged[Cdecl]<byte*, byte*, nuint, byte*, int>)Export("og_ed25519_verify");
        Scrypt = (delegate* unmanaged[Cdecl]<byte*, nuint, byte*, nuint, ulong, ulong, ulong, byte*, nuint, int>)Export("og_scrypt");
        SecretFileRead = (delegate* unmanaged[Cdecl]<byte*, byte*, nuint, nuint*, NativeError*, int>)Export("og_secret_file_read");
        SecretFileCreate = (delegate* unmanaged[Cdecl]<byte*, byte*, nuint, NativeError*, int>)Export("og_secret_file_create");
    }

    private nint Export(string name) => NativeLibrary.TryGetExport(_library, name, out var address)
        ? address
        : throw new ShimLoadException(_path, $"it does not export {name}; it is not libog_attest.so, or an older one");

    private void Handshake()
    {
        const uint expected = 4; // OG_ABI_VERSION
        var version = AbiVersion();
        if (version != expected) throw new ShimLoadException(_path, $"its ABI version is {version}, this host needs {expected}");

        // in the order of OG_STRUCT_...
        ReadOnlySpan<int> sizes =
        [
            sizeof(NativeError), sizeof(TensorView), sizeof(RowView), sizeof(NativeChainView), sizeof(NativeBatch), sizeof(NativeSealed),
            sizeof(NativeLibraryName), sizeof(NativeEpochConfig), sizeof(NativeCheckpoint), sizeof(NativeAttesterInfo),
        ];
        for (var kind = 0; kind < sizes.Length; kind++)
        {
            var size = StructSize((uint)kind);
            if (size != (nuint)sizes[kind])
                throw new ShimLoadException(_path, $"its struct number {kind} has {size} bytes, this host's has {sizes[kind]}");
        }
    }
}
