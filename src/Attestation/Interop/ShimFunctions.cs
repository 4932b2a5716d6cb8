using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Native;

namespace OpenGradient.Engine.Attestation.Interop;

/// <summary>
/// The exports of one loaded libog_attest.so (og_attest.h is their manual). Function pointers rather than imports by name,
/// because the library's path is deployment. The library is never unloaded: epochs and threads may still be inside it.
/// </summary>
internal sealed unsafe class ShimFunctions
{
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
        var exports = new LibraryExports(library, ShimLocator.FileName, problem => new ShimLoadException(path, problem));
        const uint version = 4; // OG_ABI_VERSION
        exports.Handshake("og_abi_version", version, "og_struct_size",
        [
            // in the order of OG_STRUCT_...
            sizeof(NativeError), sizeof(TensorView), sizeof(RowView), sizeof(NativeChainView), sizeof(NativeBatch), sizeof(NativeSealed),
            sizeof(NativeLibraryName), sizeof(NativeEpochConfig), sizeof(NativeCheckpoint), sizeof(NativeAttesterInfo),
        ]);

        Version = (delegate* unmanaged[Cdecl]<byte*>)exports["og_version"];
        Sha256Provider = (delegate* unmanaged[Cdecl]<byte*>)exports["og_sha256_provider"];
        BuildDigest = (delegate* unmanaged[Cdecl]<byte*, NativeError*, int>)exports["og_build_digest"];
        Attesters = (delegate* unmanaged[Cdecl]<NativeAttesterInfo*, nuint, nuint*, int>)exports["og_attesters"];
        EpochOpen = (delegate* unmanaged[Cdecl]<NativeEpochConfig*, nint*, NativeError*, int>)exports["og_epoch_open"];
        EpochClose = (delegate* unmanaged[Cdecl]<nint, void>)exports["og_epoch_close"];
        EpochDescribe = (delegate* unmanaged[Cdecl]<nint, byte*, byte*, int>)exports["og_epoch_describe"];
        EpochEvidence = (delegate* unmanaged[Cdecl]<nint, byte*, nuint, nuint*, NativeError*, int>)exports["og_epoch_evidence"];
        EpochChallenge = (delegate* unmanaged[Cdecl]<nint, byte*, nuint, ulong, byte*, nuint, nuint*, NativeError*, int>)exports["og_epoch_challenge"];
        EpochSeal = (delegate* unmanaged[Cdecl]<nint, NativeBatch*, NativeSealed*, NativeError*, int>)exports["og_epoch_seal"];
        EpochSignCheckpoint = (delegate* unmanaged[Cdecl]<nint, NativeCheckpoint*, byte*, NativeError*, int>)exports["og_epoch_sign_checkpoint"];
        TpmActivate = (delegate* unmanaged[Cdecl]<byte*, nuint, byte*, nuint, byte*, NativeError*, int>)exports["og_tpm_activate"];
        Secp256k1PublicKey = (delegate* unmanaged[Cdecl]<byte*, byte*, int>)exports["og_secp256k1_public_key"];
        Secp256k1Sign = (delegate* unmanaged[Cdecl]<byte*, byte*, byte*, int>)exports["og_secp256k1_sign"];
        Secp256k1Verify = (delegate* unmanaged[Cdecl]<byte*, nuint, byte*, byte*, int>)exports["og_secp256k1_verify"];
        Secp256k1Recover = (delegate* unmanaged[Cdecl]<byte*, byte*, byte*, int>)exports["og_secp256k1_recover"];
        Ed25519PublicKey = (delegate* unmanaged[Cdecl]<byte*, byte*, int>)exports["og_ed25519_public_key"];
        Ed25519Sign = (delegate* unmanaged[Cdecl]<byte*, byte*, nuint, byte*, int>)exports["og_ed25519_sign"];
        Ed25519Verify = (delegate* unmanaged[Cdecl]<byte*, byte*, nuint, byte*, int>)exports["og_ed25519_verify"];
        Scrypt = (delegate* unmanaged[Cdecl]<byte*, nuint, byte*, nuint, ulong, ulong, ulong, byte*, nuint, int>)exports["og_scrypt"];
        SecretFileRead = (delegate* unmanaged[Cdecl]<byte*, byte*, nuint, nuint*, NativeError*, int>)exports["og_secret_file_read"];
        SecretFileCreate = (delegate* unmanaged[Cdecl]<byte*, byte*, nuint, NativeError*, int>)exports["og_secret_file_create"];
    }
}
