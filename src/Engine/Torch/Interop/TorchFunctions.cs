using System.Runtime.InteropServices;

namespace OpenGradient.Engine.Torch.Interop;

/// <summary>
/// The exports of one loaded libog_torch.so (og_torch.h is their manual). Function pointers rather than imports by name,
/// because the library's path is deployment. The library is never unloaded: libtorch does not survive that.
/// </summary>
internal sealed unsafe class TorchFunctions
{
    private const uint ExpectedVersion = 1; // OGT_ABI_VERSION

    private readonly nint _library;
    private readonly string _path;

    public readonly delegate* unmanaged[Cdecl]<uint> AbiVersion;
    public readonly delegate* unmanaged[Cdecl]<uint, nuint> StructSize;
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
        _library = library;
        _path = path;
        AbiVersion = (delegate* unmanaged[Cdecl]<uint>)Export("ogt_abi_version");
        StructSize = (delegate* unmanaged[Cdecl]<uint, nuint>)Export("ogt_struct_size");
        Handshake();

        Version = (delegate* unmanaged[Cdecl]<byte*>)Export("ogt_version");
        Start = (delegate* unmanaged[Cdecl]<NativeSettings*, NativeError*, int>)Export("ogt_start");
        Text = (delegate* unmanaged[Cdecl]<uint, byte*, nuint, nuint*, NativeError*, int>)Export("ogt_text");
        DeviceCount = (delegate* unmanaged[Cdecl]<uint, uint*, NativeError*, int>)Export("ogt_device_count");
        DeviceGet = (delegate* unmanaged[Cdecl]<uint, int, NativeDevice*, NativeError*, int>)Export("ogt_device_get");
        MemoryGet = (delegate* unmanaged[Cdecl]<uint, int, NativeMemoryFigures*, NativeError*, int>)Export("ogt_memory_get");
        ModuleFromMemory = (delegate* unmanaged[Cdecl]<void*, ulong, NativeLoad*, nint*, NativeError*, int>)Export("ogt_module_from_memory");
        ModuleFree = (delegate* unmanaged[Cdecl]<nint, void>)Export("ogt_module_free");
        ModuleDescribe = (delegate* unmanaged[Cdecl]<nint, NativeModuleInfo*, NativeError*, int>)Export("ogt_module_describe");
        ModuleValue = (delegate* unmanaged[Cdecl]<nint, uint, uint, NativeValue*, NativeError*, int>)Export("ogt_module_value");
        SessionCreate = (delegate* unmanaged[Cdecl]<nint, nint*, NativeError*, int>)Export("ogt_session_create");
        SessionFree = (delegate* unmanaged[Cdecl]<nint, void>)Export("ogt_session_free");
        Run = (delegate* unmanaged[Cdecl]<nint, NativeTensor*, uint, NativeTensor*, uint, NativeError*, int>)Export("ogt_run");
        SessionTerminate = (delegate* unmanaged[Cdecl]<nint, int>)Export("ogt_session_terminate");
        SessionResume = (delegate* unmanaged[Cdecl]<nint, int>)Export("ogt_session_resume");
    }

    private nint Export(string name) => NativeLibrary.TryGetExport(_library, name, out var address)
        ? address
        : throw new TorchException(_path, $"it does not export {name}; it is not libog_torch.so, or an older one");

    private void Handshake()
    {
        var version = AbiVersion();
        if (version != ExpectedVersion) throw new TorchException(_path, $"its ABI version is {version}, this host needs {ExpectedVersion}");

        // In the order of OGT_STRUCT_...
        ReadOnlySpan<int> sizes =
        [
            sizeof(NativeError), sizeof(NativeSettings), sizeof(NativeLoad), sizeof(NativeModuleInfo), sizeof(NativeValue),
            sizeof(NativeTensor), sizeof(NativeDevice), sizeof(NativeMemoryFigures), sizeof(NativeTimes),
        ];
        for (var kind = 0; kind < sizes.Length; kind++)
        {
            var size = StructSize((uint)kind);
            if (size != (nuint)sizes[kind])
                throw new TorchException(_path, $"its struct number {kind} has {size} bytes, this host's has {sizes[kind]}");
        }
    }
}
