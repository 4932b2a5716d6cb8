using System.Security.Cryptography;
using System.Text;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Native;
using OpenGradient.Engine.Torch.Interop;

namespace OpenGradient.Engine.Torch;

/// <summary>
/// One loaded libog_torch.so over its libtorch, started. It stays for the life of the process, so instances are shared per path
/// and never disposed; how libtorch computes is settled by the first load. Safe for concurrent calls.
/// </summary>
public sealed unsafe class TorchLibrary
{
    private const uint TextLibTorch = 1, TextPath = 2, TextCpu = 3, TextBlas = 4, TextBlasPath = 5, TextNumerics = 6, TextCuda = 7, TextWarning = 9;

    // Texts are lines; the longest, of a build with everything, is a few kB.
    private const nuint LongestText = 1 << 20;

    private static readonly Lock LoadGate = new();
    private static readonly Dictionary<string, TorchLibrary> Loaded = new(StringComparer.Ordinal);

    private TorchLibrary(string path, Hash256 digest, TorchFunctions functions, TorchSettings settings)
    {
        Functions = functions;
        Settings = settings;
        Start(settings);
        TorchFile[] files = [.. FilesOf(path, digest).OrderBy(file => file.Name, StringComparer.Ordinal)];
        Info = new TorchInfo(
            path, NativeText.Read(functions.Version()), Text(TextLibTorch), files, DigestOf(files),
            Text(TextCpu), Text(TextBlas), Text(TextNumerics), Text(TextCuda), Text(TextWarning));
    }

    public TorchInfo Info { get; }

    /// <summary>What it was started with.</summary>
    public TorchSettings Settings { get; }

    internal TorchFunctions Functions { get; }

    /// <summary>Loads the library that <see cref="TorchLibraryLocator"/> finds, checks ABI version and struct layouts before anything else is called, and starts it.</summary>
    /// <param name="settings">Null for the default, or for what it was started with.</param>
    /// <exception cref="TorchException">Not found, not loadable, not this ABI, or started with other settings before; the message names the path.</exception>
    public static TorchLibrary Load(string? path = null, TorchSettings? settings = null)
    {
        var found = TorchLibraryLocator.Find(path);
        lock (LoadGate)
        {
            if (Loaded.TryGetValue(found, out var present))
            {
                if (settings is null || settings == present.Settings) return present;
                throw new TorchException(found, $"it was started with {present.Settings}, and now {settings} is asked for: libtorch has one for the whole process");
            }

            // Hashed before it is mapped: afterwards another file could be in its place.
            var digest = DigestOf(found);
            return Loaded[found] = new TorchLibrary(found, digest, new TorchFunctions(TorchEnvironment.Load(found), found), settings ?? new TorchSettings());
        }
    }

    /// <summary>The devices of that kind that can be used.</summary>
    /// <param name="reason">Why there is none; empty where there are some.</param>
    public IReadOnlyList<TorchDevice> Devices(Backends.ExecutionDevice kind, out string reason)
    {
        uint count;
        NativeError error;
        reason = "";
        if (Functions.DeviceCount(CodeOf(kind), &count, &error) != (int)TorchStatus.Ok) count = 0;
        var devices = new List<TorchDevice>();
        for (var i = 0; i < count; i++)
            if (Device(kind, i, out reason) is { } device) devices.Add(device);
        if (count == 0) Device(kind, 0, out reason);
        return devices;
    }

    /// <summary>What libtorch holds of a device now.</summary>
    /// <exception cref="TorchException">There is no such device.</exception>
    public TorchMemory Memory(Backends.ExecutionDevice kind, int index)
    {
        NativeMemoryFigures figures;
        NativeError error;
        TorchCheck.Check(Functions.MemoryGet(CodeOf(kind), index, &figures, &error), error, "count memory");
        return new TorchMemory(figures.Allocated, figures.AllocatedPeak, figures.Reserved, figures.ReservedPeak, figures.Pinned, figures.Resident, figures.OutOfMemory);
    }

    internal static uint CodeOf(Backends.ExecutionDevice kind) => kind == Backends.ExecutionDevice.Cuda ? 1u : 0;

    /// <summary>Null where there is no such device, with the reason.</summary>
    internal TorchDevice? Device(Backends.ExecutionDevice kind, int index, out string reason)
    {
        NativeDevice device;
        NativeError error;
        reason = "";
        if (Functions.DeviceGet(CodeOf(kind), index, &device, &error) == (int)TorchStatus.Ok)
        {
            return new TorchDevice(
                NativeText.Read(device.Name, NativeDevice.NameSize), device.CapabilityMajor == 0 ? "" : $"{device.CapabilityMajor}.{device.CapabilityMinor}",
                (int)device.Multiprocessors, device.Driver == 0 ? "" : $"{device.Driver / 1000}.{device.Driver % 1000 / 10}", device.TotalBytes, device.FreeBytes);
        }

        reason = NativeError.Describe(error);
        return null;
    }

    private void Start(TorchSettings settings)
    {
        NativeError error;
        var native = new NativeSettings
        {
            AllowTf32 = settings.AllowTf32 ? 1u : 0,
            AllowReducedReductions = settings.AllowReducedReductions ? 1u : 0,
            AllowNondeterministic = settings.AllowNondeterministic ? 1u : 0,
        };
        TorchCheck.Check(Functions.Start(&native, &error), error, "start");
    }

    private string Text(uint kind)
    {
        NativeError error;
        nuint needed;
        var status = Functions.Text(kind, null, 0, &needed, &error);
        if (status is not ((int)TorchStatus.Ok or (int)TorchStatus.SmallBuffer)) TorchCheck.Check(status, error, "read a text");
        if (needed is 0 or > LongestText) return "";
        var text = new byte[(int)needed];
        fixed (byte* bytes = text) TorchCheck.Check(Functions.Text(kind, bytes, needed, &needed, &error), error, "read a text");
        return Encoding.UTF8.GetString(text).TrimEnd('\0');
    }

    private IEnumerable<TorchFile> FilesOf(string path, Hash256 digest)
    {
        yield return new TorchFile(TorchLibraryLocator.FileName, path, digest);
        foreach (var part in new[] { Text(TextPath), Text(TextBlasPath) })
            if (part.Length > 0) yield return new TorchFile(NameOf(part), part, DigestOf(part));
    }

    /// <summary><c>libtorch_cpu.so.1.13</c> is <c>libtorch_cpu.so</c>: the version is a field of its own.</summary>
    private static string NameOf(string path)
    {
        var name = Path.GetFileName(path);
        var ending = name.IndexOf(".so", StringComparison.Ordinal);
        return ending < 0 ? name : name[..(ending + 3)];
    }

    private static Hash256 DigestOf(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return new Hash256(SHA256.HashData(file));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new TorchException(path, $"it cannot be read: {error.Message}");
        }
    }

    // docs/formats.md, "Runtime fingerprint": lines of name, space, digest.
    private static Hash256 DigestOf(TorchFile[] files) =>
        Hash256.Sha256(Encoding.UTF8.GetBytes(string.Concat(files.Select(file => $"{file.Name} {file.Digest}\n"))));
}
