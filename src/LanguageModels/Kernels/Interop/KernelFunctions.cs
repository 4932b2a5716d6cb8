using System.Runtime.InteropServices;

namespace OpenGradient.Engine.LanguageModels.Kernels.Interop;

/// <summary>
/// The exports of one loaded libog_kernels.so (og_kernels.h is their manual). Function pointers rather than imports by name,
/// because the library's path is deployment. The library is never unloaded: models and their threads may still be inside it.
/// </summary>
internal sealed unsafe class KernelFunctions
{
    private readonly nint _library;
    private readonly string _path;

    public readonly delegate* unmanaged[Cdecl]<uint> AbiVersion;
    public readonly delegate* unmanaged[Cdecl]<uint, nuint> StructSize;
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
        _library = library;
        _path = path;
        AbiVersion = (delegate* unmanaged[Cdecl]<uint>)Export("ogk_abi_version");
        StructSize = (delegate* unmanaged[Cdecl]<uint, nuint>)Export("ogk_struct_size");
        Handshake();

        Version = (delegate* unmanaged[Cdecl]<byte*>)Export("ogk_version");
        BestIsa = (delegate* unmanaged[Cdecl]<uint>)Export("ogk_best_isa");
        IsaName = (delegate* unmanaged[Cdecl]<uint, byte*>)Export("ogk_isa_name");
        Numerics = (delegate* unmanaged[Cdecl]<uint, uint, byte*>)Export("ogk_numerics");
        ModelCreate = (delegate* unmanaged[Cdecl]<NativeConfig*, nint*, NativeError*, int>)Export("ogk_model_create");
        ModelMemory = (delegate* unmanaged[Cdecl]<NativeConfig*, ulong*, ulong*, ulong*, NativeError*, int>)Export("ogk_model_memory");
        ModelSet = (delegate* unmanaged[Cdecl]<nint, byte*, uint, ulong*, uint, void*, ulong, NativeError*, int>)Export("ogk_model_set");
        ModelFinish = (delegate* unmanaged[Cdecl]<nint, NativeError*, int>)Export("ogk_model_finish");
        Step = (delegate* unmanaged[Cdecl]<nint, NativeSequence*, uint, float*, ulong, NativeError*, int>)Export("ogk_step");
        Embed = (delegate* unmanaged[Cdecl]<nint, NativeSequence*, float*, NativeError*, int>)Export("ogk_embed");
        ModelFree = (delegate* unmanaged[Cdecl]<nint, void>)Export("ogk_model_free");
    }

    private nint Export(string name) => NativeLibrary.TryGetExport(_library, name, out var address)
        ? address
        : throw new KernelLibraryException(_path, $"it does not export {name}; it is not libog_kernels.so, or an older one");

    private void Handshake()
    {
        const uint expected = 1; // OGK_ABI_VERSION
        var version = AbiVersion();
        if (version != expected) throw new KernelLibraryException(_path, $"its ABI version is {version}, this host needs {expected}");

        // in the order of OGK_STRUCT_...
        ReadOnlySpan<int> sizes = [sizeof(NativeError), sizeof(NativeConfig), sizeof(NativeSequence)];
        for (var kind = 0; kind < sizes.Length; kind++)
        {
            var size = StructSize((uint)kind);
            if (size != (nuint)sizes[kind])
                throw new KernelLibraryException(_path, $"its struct number {kind} has {size} bytes, this host's has {sizes[kind]}");
        }
    }
}
