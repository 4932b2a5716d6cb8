using OpenGradient.Engine.Native;

namespace OpenGradient.Engine.Torch.Interop;

/// <summary>
/// The exports of one loaded libog_torch.so (og_torch.h is their manual). Function pointers rather than imports by name,
/// because the library's path is deployment. The library is never unloaded: libtorch does not survive that.
/// </summary>
internal sealed unsafe class TorchFunctions
{
    public readonly delegate* unmanaged[Cdecl]<byte*> Version;
    public readonly delegate* unmanaged[Cdecl]<NativeSettings*, NativeError*, int> Start;
    public readonly delegate* unmanaged[Cdecl]<uint, byte*, nuint, nuint*, NativeError*, int> Text;
    public readonly delegate* unmanaged[Cdecl]<uint, uint*, NativeError*, int> DeviceCount;
    public readonly delegate* unmanaged[Cdecl]<uint, int, NativeDevice*, NativeError*, int> DeviceGet;
    public readonly delegate* unmanaged[Cdecl]<uint, int, NativeMemoryFigures*, NativeError*, int> MemoryGet;
    public readonly delegate* unmanaged[Cdecl]<void*, ulong, NativeLoad*, nint*, NativeError*, int> ModuleFromMemory;
    public readonly delegate* unmanaged[Cdecl]<nint, void> ModuleFree;
    public readonly delegate* unmanaged[Cdecl]<nint, NativeModuleInfo*, NativeError*, int> ModuleDescribe;
    public readonly delegate* unmanaged[Cdecl]<nint, uint, uint, NativeValue*, NativeError*, int> ModuleValue;
    public readonly delegate* unmanaged[Cdecl]<nint, nint*, NativeError*, int> SessionCreate;
    public readonly delegate* unmanaged[Cdecl]<nint, void> SessionFree;
    public readonly delegate* unmanaged[Cdecl]<nint, NativeTensor*, uint, NativeTensor*, uint, NativeError*, int> Run;
    public readonly delegate* unmanaged[Cdecl]<nint, int> SessionTerminate;
    public readonly delegate* unmanaged[Cdecl]<nint, int> SessionResume;

    /// <exception cref="TorchException">Not this library, or not this version of it.</exception>
    public TorchFunctions(nint library, string path)
    {
        var exports = new LibraryExports(library, TorchLibraryLocator.FileName, problem => new TorchException(path, problem));
        const uint version = 1; // OGT_ABI_VERSION
        exports.Handshake("ogt_abi_version", version, "ogt_struct_size",
        [
            // in the order of OGT_STRUCT_...
            sizeof(NativeError), sizeof(NativeSettings), sizeof(NativeLoad), sizeof(NativeModuleInfo), sizeof(NativeValue),
            sizeof(NativeTensor), sizeof(NativeDevice), sizeof(NativeMemoryFigures), sizeof(NativeTimes),
        ]);

        Version = (delegate* unmanaged[Cdecl]<byte*>)exports["ogt_version"];
        Start = (delegate* unmanaged[Cdecl]<NativeSettings*, NativeError*, int>)exports["ogt_start"];
        Text = (delegate* unmanaged[Cdecl]<uint, byte*, nuint, nuint*, NativeError*, int>)exports["ogt_text"];
        DeviceCount = (delegate* unmanaged[Cdecl]<uint, uint*, NativeError*, int>)exports["ogt_device_count"];
        DeviceGet = (delegate* unmanaged[Cdecl]<uint, int, NativeDevice*, NativeError*, int>)exports["ogt_device_get"];
        MemoryGet = (delegate* unmanaged[Cdecl]<uint, int, NativeMemoryFigures*, NativeError*, int>)exports["ogt_memory_get"];
        ModuleFromMemory = (delegate* unmanaged[Cdecl]<void*, ulong, NativeLoad*, nint*, NativeError*, int>)exports["ogt_module_from_memory"];
        ModuleFree = (delegate* unmanaged[Cdecl]<nint, void>)exports["ogt_module_free"];
        ModuleDescribe = (delegate* unmanaged[Cdecl]<nint, NativeModuleInfo*, NativeError*, int>)exports["ogt_module_describe"];
        ModuleValue = (delegate* unmanaged[Cdecl]<nint, uint, uint, NativeValue*, NativeError*, int>)exports["ogt_module_value"];
        SessionCreate = (delegate* unmanaged[Cdecl]<nint, nint*, NativeError*, int>)exports["ogt_session_create"];
        SessionFree = (delegate* unmanaged[Cdecl]<nint, void>)exports["ogt_session_free"];
        Run = (delegate* unmanaged[Cdecl]<nint, NativeTensor*, uint, NativeTensor*, uint, NativeError*, int>)exports["ogt_run"];
        SessionTerminate = (delegate* unmanaged[Cdecl]<nint, int>)exports["ogt_session_terminate"];
        SessionResume = (delegate* unmanaged[Cdecl]<nint, int>)exports["ogt_session_resume"];
    }
}
