using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Llama;

/// <summary>
/// llama.cpp as the npm package <c>@node-llama-cpp/linux-x64</c> ships it, bound to exactly that build: structs travel by value, so
/// another layout would be memory corruption. What tells the layout apart is compared before anything else is called.
/// </summary>
internal sealed unsafe class LlamaLibrary
{
    private const string Version = "v0.5.0";
    private const string Folder = "node_modules/@node-llama-cpp/linux-x64/bins/linux-x64";

    // What this build's llama_context_default_params and llama_model_default_params store, member by member.
    private const int KeyTypeF16 = 1, Automatic = -1;
    private const int CpuDevice = 0;

    // ggml_threadpool_params: 512 bytes of cores, the number of threads, their priority, how long they spin.
    private const int ThreadpoolSize = 528, ThreadpoolThreads = 512, ThreadpoolPoll = 520, DefaultPoll = 50;

    public readonly delegate* unmanaged[Cdecl]<LlamaModelParams> ModelDefaults;
    public readonly delegate* unmanaged[Cdecl]<LlamaContextParams> ContextDefaults;
    public readonly delegate* unmanaged[Cdecl]<byte*, LlamaModelParams, nint> LoadModel;
    public readonly delegate* unmanaged[Cdecl]<nint, void> FreeModel;
    public readonly delegate* unmanaged[Cdecl]<nint, ulong> ModelSize;
    public readonly delegate* unmanaged[Cdecl]<nint, ulong> ModelParameters;
    public readonly delegate* unmanaged[Cdecl]<nint, LlamaContextParams, nint> NewContext;
    public readonly delegate* unmanaged[Cdecl]<nint, void> FreeContext;
    public readonly delegate* unmanaged[Cdecl]<nint, LlamaBatch, int> Decode;
    public readonly delegate* unmanaged[Cdecl]<nint, int, float*> Logits;
    public readonly delegate* unmanaged[Cdecl]<nint, nint> Memory;
    public readonly delegate* unmanaged[Cdecl]<nint, byte, void> MemoryClear;
    public readonly delegate* unmanaged[Cdecl]<nint, int, int, int, byte> MemoryRemove;
    public readonly delegate* unmanaged[Cdecl]<nint, void> Synchronize;
    private readonly delegate* unmanaged[Cdecl]<byte*> _systemInfo;
    private readonly delegate* unmanaged[Cdecl]<byte*, int, void> _threadpoolDefaults;
    private readonly delegate* unmanaged[Cdecl]<byte*, nint> _newThreadpool;
    private readonly delegate* unmanaged[Cdecl]<nint, void> _freeThreadpool;
    private readonly delegate* unmanaged[Cdecl]<nint, nint, nint, void> _attachThreadpool;

    private LlamaLibrary(string folder)
    {
        var llama = NativeLibrary.Load(Path.Combine(folder, $"libllama.{Version}.so"));
        var ggml = NativeLibrary.Load(Path.Combine(folder, $"libggml.{Version}.so"));
        ModelDefaults = (delegate* unmanaged[Cdecl]<LlamaModelParams>)Find(llama, "llama_model_default_params");
        ContextDefaults = (delegate* unmanaged[Cdecl]<LlamaContextParams>)Find(llama, "llama_context_default_params");
        LoadModel = (delegate* unmanaged[Cdecl]<byte*, LlamaModelParams, nint>)Find(llama, "llama_model_load_from_file");
        FreeModel = (delegate* unmanaged[Cdecl]<nint, void>)Find(llama, "llama_model_free");
        ModelSize = (delegate* unmanaged[Cdecl]<nint, ulong>)Find(llama, "llama_model_size");
        ModelParameters = (delegate* unmanaged[Cdecl]<nint, ulong>)Find(llama, "llama_model_n_params");
        NewContext = (delegate* unmanaged[Cdecl]<nint, LlamaContextParams, nint>)Find(llama, "llama_init_from_model");
        FreeContext = (delegate* unmanaged[Cdecl]<nint, void>)Find(llama, "llama_free");
        Decode = (delegate* unmanaged[Cdecl]<nint, LlamaBatch, int>)Find(llama, "llama_decode");
        Logits = (delegate* unmanaged[Cdecl]<nint, int, float*>)Find(llama, "llama_get_logits_ith");
        Memory = (delegate* unmanaged[Cdecl]<nint, nint>)Find(llama, "llama_get_memory");
        MemoryClear = (delegate* unmanaged[Cdecl]<nint, byte, void>)Find(llama, "llama_memory_clear");
        MemoryRemove = (delegate* unmanaged[Cdecl]<nint, int, int, int, byte>)Find(llama, "llama_memory_seq_rm");
        Synchronize = (delegate* unmanaged[Cdecl]<nint, void>)Find(llama, "llama_synchronize");
        _systemInfo = (delegate* unmanaged[Cdecl]<byte*>)Find(llama, "llama_print_system_info");
        _attachThreadpool = (delegate* unmanaged[Cdecl]<nint, nint, nint, void>)Find(llama, "llama_attach_threadpool");
        var ggmlBase = NativeLibrary.Load(Path.Combine(folder, "libggml-base.so"));
        _threadpoolDefaults = (delegate* unmanaged[Cdecl]<byte*, int, void>)Find(ggmlBase, "ggml_threadpool_params_init");
        CheckLayout();
        ((delegate* unmanaged[Cdecl]<delegate* unmanaged[Cdecl]<int, byte*, void*, void>, void*, void>)Find(llama, "llama_log_set"))(&Silent, null);
        fixed (byte* path = Encoding.UTF8.GetBytes(folder + '\0'))
            ((delegate* unmanaged[Cdecl]<byte*, void>)Find(ggml, "ggml_backend_load_all_from_path"))(path);
        ((delegate* unmanaged[Cdecl]<void>)Find(llama, "llama_backend_init"))();

        // Which of the CPU backends was loaded is ggml's choice; its functions are asked of it by name.
        var device = ((delegate* unmanaged[Cdecl]<int, nint>)Find(ggml, "ggml_backend_dev_by_type"))(CpuDevice);
        var backend = ((delegate* unmanaged[Cdecl]<nint, nint>)Find(ggmlBase, "ggml_backend_dev_backend_reg"))(device);
        var find = (delegate* unmanaged[Cdecl]<nint, byte*, nint>)Find(ggmlBase, "ggml_backend_reg_get_proc_address");
        fixed (byte* create = "ggml_threadpool_new\0"u8, free = "ggml_threadpool_free\0"u8)
        {
            _newThreadpool = (delegate* unmanaged[Cdecl]<byte*, nint>)find(backend, create);
            _freeThreadpool = (delegate* unmanaged[Cdecl]<nint, void>)find(backend, free);
        }

        if (_newThreadpool is null || _freeThreadpool is null) throw Other("threads");
    }

    /// <summary>The instruction sets that its CPU backend uses, in its own words.</summary>
    public string SystemInfo => Marshal.PtrToStringUTF8((nint)_systemInfo()) ?? "";

    /// <exception cref="InvalidOperationException">Not there, or another build than the one bound.</exception>
    public static LlamaLibrary Load()
    {
        var folder = Path.GetFullPath(Folder);
        if (!Directory.Exists(folder)) throw new InvalidOperationException($"'{Folder}' is missing: run npm ci --ignore-scripts in the repository's root");
        var build = Path.Combine(folder, "_nlcBuildMetadata.json");
        if (!File.Exists(build) || !File.ReadAllText(build).Contains($"\"release\":\"{Version}\"", StringComparison.Ordinal))
            throw new InvalidOperationException($"'{Folder}' is not llama.cpp {Version}, whose structs are bound here");
        try
        {
            return new LlamaLibrary(folder);
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            throw new InvalidOperationException($"llama.cpp cannot be loaded: {error.Message}", error);
        }
    }

    /// <summary>Threads that a context keeps, as llama.cpp's own programs give it; without them each call starts its own.</summary>
    public nint AttachThreads(nint context, int threads)
    {
        var parameters = stackalloc byte[ThreadpoolSize];
        _threadpoolDefaults(parameters, threads);
        var pool = _newThreadpool(parameters);
        _attachThreadpool(context, pool, pool);
        return pool;
    }

    public void FreeThreads(nint pool) => _freeThreadpool(pool);

    private void CheckLayout()
    {
        var threads = stackalloc byte[ThreadpoolSize];
        _threadpoolDefaults(threads, 3);
        if (*(int*)(threads + ThreadpoolThreads) != 3 || *(int*)(threads + ThreadpoolPoll) != DefaultPoll) throw Other("ggml_threadpool_params");
        if (sizeof(LlamaModelParams) != 80 || sizeof(LlamaContextParams) != 160 || sizeof(LlamaBatch) != 56) throw Other("sizes");
        var model = ModelDefaults();
        if (model is not { GpuLayers: Automatic, SplitMode: 1, LoadMode: Automatic, MainGpu: 0, UseExtraBuffers: 1, VocabularyOnly: 0 }) throw Other("llama_model_params");
        var context = ContextDefaults();
        if (context is not
            {
                Context: 512, Batch: 2048, MicroBatch: 512, Sequences: 1, OutputsPerSequence: 1, RopeScaling: Automatic, FlashAttention: Automatic,
                YarnExtension: -1, DefragmentThreshold: -1, KeyType: KeyTypeF16, ValueType: KeyTypeF16, OffloadAttention: 1, NoPerformance: 1, FullWindow: 1,
            })
        {
            throw Other("llama_context_params");
        }
    }

    private static InvalidOperationException Other(string what) => new($"llama.cpp {Version}: the defaults of {what} are not those of the build that is bound");

    private static nint Find(nint library, string name) => NativeLibrary.GetExport(library, name);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Silent(int level, byte* text, void* data)
    {
    }
}
