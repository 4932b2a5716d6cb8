using OpenGradient.Engine.Native;

namespace OpenGradient.Engine.LanguageModels.Kernels.Interop;

/// <summary>
/// The exports of one loaded libog_kernels.so (og_kernels.h is their manual). Function pointers rather than imports by name,
/// because the library's path is deployment. The library is never unloaded: models and their threads may still be inside it.
/// </summary>
internal sealed unsafe class KernelFunctions
{
    public readonly delegate* unmanaged[Cdecl]<byte*> Version;
    public readonly delegate* unmanaged[Cdecl]<uint> BestIsa;
    public readonly delegate* unmanaged[Cdecl]<uint, byte*> IsaName;
    public readonly delegate* unmanaged[Cdecl]<uint, uint, byte*> Numerics;
    public readonly delegate* unmanaged[Cdecl]<NativeConfig*, nint*, NativeError*, int> ModelCreate;
    public readonly delegate* unmanaged[Cdecl]<NativeConfig*, ulong*, ulong*, ulong*, NativeError*, int> ModelMemory;
    public readonly delegate* unmanaged[Cdecl]<nint, byte*, uint, ulong*, uint, void*, ulong, NativeError*, int> ModelSet;
    public readonly delegate* unmanaged[Cdecl]<nint, NativeError*, int> ModelFinish;
    public readonly delegate* unmanaged[Cdecl]<nint, NativeSequence*, uint, float*, ulong, NativeError*, int> Step;
    public readonly delegate* unmanaged[Cdecl]<nint, NativeSequence*, float*, NativeError*, int> Embed;
    public readonly delegate* unmanaged[Cdecl]<nint, void> ModelFree;

    /// <exception cref="KernelLibraryException">Not this library, or not this version of it.</exception>
    public KernelFunctions(nint library, string path)
    {
        var exports = new LibraryExports(library, KernelLibraryLocator.FileName, problem => new KernelLibraryException(path, problem));
        const uint version = 1; // OGK_ABI_VERSION
        exports.Handshake("ogk_abi_version", version, "ogk_struct_size", [sizeof(NativeError), sizeof(NativeConfig), sizeof(NativeSequence)]); // in the order of OGK_STRUCT_...

        Version = (delegate* unmanaged[Cdecl]<byte*>)exports["ogk_version"];
        BestIsa = (delegate* unmanaged[Cdecl]<uint>)exports["ogk_best_isa"];
        IsaName = (delegate* unmanaged[Cdecl]<uint, byte*>)exports["ogk_isa_name"];
        Numerics = (delegate* unmanaged[Cdecl]<uint, uint, byte*>)exports["ogk_numerics"];
        ModelCreate = (delegate* unmanaged[Cdecl]<NativeConfig*, nint*, NativeError*, int>)exports["ogk_model_create"];
        ModelMemory = (delegate* unmanaged[Cdecl]<NativeConfig*, ulong*, ulong*, ulong*, NativeError*, int>)exports["ogk_model_memory"];
        ModelSet = (delegate* unmanaged[Cdecl]<nint, byte*, uint, ulong*, uint, void*, ulong, NativeError*, int>)exports["ogk_model_set"];
        ModelFinish = (delegate* unmanaged[Cdecl]<nint, NativeError*, int>)exports["ogk_model_finish"];
        Step = (delegate* unmanaged[Cdecl]<nint, NativeSequence*, uint, float*, ulong, NativeError*, int>)exports["ogk_step"];
        Embed = (delegate* unmanaged[Cdecl]<nint, NativeSequence*, float*, NativeError*, int>)exports["ogk_embed"];
        ModelFree = (delegate* unmanaged[Cdecl]<nint, void>)exports["ogk_model_free"];
    }
}
