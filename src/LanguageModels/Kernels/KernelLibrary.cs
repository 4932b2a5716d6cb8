using System.Runtime.InteropServices;
using System.Security.Cryptography;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Kernels.Interop;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.Native;

namespace OpenGradient.Engine.LanguageModels.Kernels;

/// <summary>
/// One loaded libog_kernels.so. It stays for the life of the process, so instances are shared per path and never disposed.
/// Safe for concurrent calls.
/// </summary>
public sealed unsafe class KernelLibrary
{
    private static readonly Lock LoadGate = new();
    private static readonly Dictionary<string, KernelLibrary> Loaded = new(StringComparer.Ordinal);

    // In the order of OGK_ISA_...; 0 is "the best".
    private static readonly string[] IsaTexts = ["", "scalar", "avx2", "avx512", "amx"];

    private KernelLibrary(string path, Hash256 digest, KernelFunctions functions)
    {
        Path = path;
        Digest = digest;
        Functions = functions;
        Version = NativeText.Read(functions.Version());
        BestInstructionSet = NativeText.Read(functions.IsaName(functions.BestIsa()));
    }

    /// <summary>The file that was loaded.</summary>
    public string Path { get; }

    public string Version { get; }

    /// <summary>SHA-256 of the file.</summary>
    public Hash256 Digest { get; }

    /// <summary>The best instruction set of this machine, as fingerprints carry it.</summary>
    public string BestInstructionSet { get; }

    internal KernelFunctions Functions { get; }

    /// <summary>Loads the library that <see cref="KernelLibraryLocator"/> finds and checks ABI version and struct layouts before anything else is called.</summary>
    /// <exception cref="KernelLibraryException">Not found, not loadable, or not this ABI; the message names the path.</exception>
    public static KernelLibrary Load(string? path = null)
    {
        var found = KernelLibraryLocator.Find(path);
        lock (LoadGate)
        {
            if (Loaded.TryGetValue(found, out var present)) return present;
            try
            {
                // Hashed before it is mapped: afterwards another file could be in its place.
                var digest = DigestOf(found);
                return Loaded[found] = new KernelLibrary(found, digest, new KernelFunctions(NativeLibrary.Load(found), found));
            }
            catch (Exception error) when (error is DllNotFoundException or BadImageFormatException or IOException or UnauthorizedAccessException)
            {
                throw new KernelLibraryException(found, $"it could not be loaded: {error.Message.ReplaceLineEndings(" ")}");
            }
        }
    }

    /// <summary>The class within which results of a scheme are equal on every machine, for example <c>ogk1</c>.</summary>
    /// <param name="instructionSet"><c>scalar</c>, <c>avx2</c>, <c>avx512</c>, <c>amx</c>; null for this machine's best.</param>
    /// <exception cref="ArgumentException">Not the name of an instruction set.</exception>
    public string NumericsClass(WeightScheme scheme, string? instructionSet = null) =>
        NativeText.Read(Functions.Numerics(WeightSchemes.CodeOf(scheme), ActualIsa(instructionSet)));

    /// <summary>As og_kernels.h numbers it: null text is OGK_ISA_BEST, null is no instruction set that is known.</summary>
    internal static uint? IsaOf(string? instructionSet)
    {
        if (instructionSet is null) return 0;
        var isa = Array.IndexOf(IsaTexts, instructionSet, 1);
        return isa > 0 ? (uint)isa : null;
    }

    internal string IsaName(string? instructionSet) => NativeText.Read(Functions.IsaName(ActualIsa(instructionSet)));

    private uint ActualIsa(string? instructionSet) => IsaOf(instructionSet) switch
    {
        null => throw new ArgumentException($"instruction set {Quoted.Of(instructionSet!)} is none of scalar, avx2, avx512, amx", nameof(instructionSet)),
        0 => Functions.BestIsa(),
        { } isa => isa,
    };

    private static Hash256 DigestOf(string path)
    {
        using var file = File.OpenRead(path);
        return new Hash256(SHA256.HashData(file));
    }
}
