using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>
/// One loaded ONNX Runtime with its one environment. Loaded libraries stay for the life of the process (the library does not
/// survive unloading), so instances are shared per path and never disposed. Safe for concurrent calls.
/// </summary>
public sealed unsafe class OnnxRuntimeLibrary
{
    // Fatal only: errors arrive as statuses; the library's own stderr lines would name files and source lines.
    private const int LogSeverity = 4;

    private static readonly Lock LoadGate = new();
    private static readonly Dictionary<string, OnnxRuntimeLibrary> Loaded = [];

    private OnnxRuntimeLibrary(string path, OrtApi api, string version)
    {
        Api = api;
        Environment = CreateEnvironment(api);
        MemoryInfo = CreateMemoryInfo(api);
        Info = new OnnxRuntimeInfo(path, version, DigestOf(path), ListProviders(api), InstructionSet.Current);
    }

    public OnnxRuntimeInfo Info { get; }

    internal OrtApi Api { get; }

    /// <summary>The <c>OrtEnv*</c>, alive as long as the process.</summary>
    internal nint Environment { get; }

    /// <summary>CPU memory, alive as long as the process.</summary>
    internal nint MemoryInfo { get; }

    /// <summary>Loads the library that <see cref="OnnxRuntimeLocator"/> finds, or the one at <paramref name="path"/>, with its telemetry switched off first.</summary>
    /// <exception cref="OnnxRuntimeException">Not found, not ONNX Runtime, or older than 1.22; the message names the path.</exception>
    public static OnnxRuntimeLibrary Load(string? path = null)
    {
        var located = OnnxRuntimeLocator.Locate(path);
        lock (LoadGate)
        {
            if (Loaded.TryGetValue(located, out var present)) return present;
            return Loaded[located] = LoadFrom(located);
        }
    }

    private static OnnxRuntimeLibrary LoadFrom(string path)
    {
        NativeEnvironment.DisableTelemetry();
        if (Path.IsPathRooted(path) && !File.Exists(path))
            throw new OnnxRuntimeException($"the ONNX Runtime library '{path}' does not exist");
        if (!TryLoad(path, out var handle, out var reason))
            throw new OnnxRuntimeException($"the ONNX Runtime library '{path}' cannot be loaded: {reason}");
        if (!NativeLibrary.TryGetExport(handle, "OrtGetApiBase", out var export))
            throw new OnnxRuntimeException($"'{path}' is not ONNX Runtime: it has no OrtGetApiBase");

        var apiBase = ((delegate* unmanaged[Cdecl]<void**>)export)();
        var version = Marshal.PtrToStringUTF8((nint)((delegate* unmanaged[Cdecl]<byte*>)apiBase[1])()) ?? "unknown";
        if (!IsSupported(version))
            throw new OnnxRuntimeException($"the ONNX Runtime library '{path}' is version {version}; 1.{OrtSlots.ApiVersion} or newer is needed");
        var table = ((delegate* unmanaged[Cdecl]<uint, void**>)apiBase[0])(OrtSlots.ApiVersion);
        if (table is null)
            throw new OnnxRuntimeException($"the ONNX Runtime library '{path}' (version {version}) does not offer API version {OrtSlots.ApiVersion}");
        return new OnnxRuntimeLibrary(MappedPath(path), new OrtApi(table), version);
    }

    /// <summary>Asked before GetApi: an old library answers an unknown version with null and a line on stderr.</summary>
    private static bool IsSupported(string version) =>
        Version.TryParse(version.Split('-', '+')[0], out var parsed) && (parsed.Major > 1 || (parsed.Major == 1 && parsed.Minor >= OrtSlots.ApiVersion));

    private static bool TryLoad(string path, out nint handle, out string reason)
    {
        try
        {
            handle = NativeLibrary.Load(path);
            reason = "";
            return true;
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            handle = 0;
            reason = error.Message.ReplaceLineEndings(" ");
            return false;
        }
    }

    /// <summary>The file behind a name that the dynamic linker resolved, so that its digest can be taken.</summary>
    private static string MappedPath(string path)
    {
        if (Path.IsPathRooted(path)) return path;
        foreach (var line in File.ReadLines("/proc/self/maps"))
        {
            var start = line.IndexOf('/', StringComparison.Ordinal);
            if (start >= 0 && Path.GetFileName(line.AsSpan(start)).StartsWith("libonnxruntime.so")) return line[start..];
        }

        return path;
    }

    private static byte[] DigestOf(string path)
    {
        using var file = File.OpenRead(path);
        return SHA256.HashData(file);
    }

    private static nint CreateEnvironment(OrtApi api)
    {
        nint environment;
        fixed (byte* id = "OpenGradient.Engine\0"u8)
            OrtStatus.Check(api, api.CreateEnv(LogSeverity, id, &environment), "create environment");
        OrtStatus.Check(api, api.DisableTelemetryEvents(environment), "disable telemetry");
        return environment;
    }

    private static nint CreateMemoryInfo(OrtApi api)
    {
        const int ArenaAllocator = 1, DefaultMemory = 0;
        nint info;
        OrtStatus.Check(api, api.CreateCpuMemoryInfo(ArenaAllocator, DefaultMemory, &info), "create memory info");
        return info;
    }

    private static string[] ListProviders(OrtApi api)
    {
        byte** names;
        int count;
        OrtStatus.Check(api, api.GetAvailableProviders(&names, &count), "list providers");
        var providers = new string[count];
        for (var i = 0; i < count; i++) providers[i] = Marshal.PtrToStringUTF8((nint)names[i]) ?? "";
        OrtStatus.Check(api, api.ReleaseAvailableProviders(names, count), "release providers");
        return providers;
    }
}
