using System.Runtime.InteropServices;
using OpenGradient.Engine.Attestation.Interop;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Native;

namespace OpenGradient.Engine.Attestation;

/// <summary>Whether an attester can be used on this machine, for <c>og doctor</c>.</summary>
/// <param name="Reason">Why not, or what to know about it.</param>
public sealed record AttesterInfo(EvidenceKind Kind, string Name, bool Available, string Reason);

/// <summary>The loaded native shim. Load once per process and share: it is safe for concurrent calls and is never unloaded.</summary>
public sealed unsafe class AttestationShim
{
    private AttestationShim(string path, nint library)
    {
        Path = path;
        Functions = new ShimFunctions(library, path);
        Version = NativeText.Read(Functions.Version());
        Sha256Provider = NativeText.Read(Functions.Sha256Provider());
    }

    /// <summary>The file that was loaded.</summary>
    public string Path { get; }

    public string Version { get; }

    /// <summary>How the shim computes SHA-256 here, for example <c>sha-ni</c>.</summary>
    public string Sha256Provider { get; }

    internal ShimFunctions Functions { get; }

    /// <summary>Loads the library and checks ABI version and struct layouts before anything else is called.</summary>
    /// <param name="path">A file; null searches as <see cref="ShimLocator"/> documents.</param>
    /// <exception cref="ShimLoadException">Not found, not loadable, or not this ABI.</exception>
    public static AttestationShim Load(string? path = null)
    {
        var found = ShimLocator.Find(path);
        try
        {
            return new AttestationShim(found, NativeLibrary.Load(found));
        }
        catch (Exception failure) when (failure is DllNotFoundException or BadImageFormatException)
        {
            throw new ShimLoadException(found, $"it could not be loaded: {failure.Message}");
        }
    }

    /// <summary>SHA-256 of the loaded file: the build digest that evidence binds.</summary>
    /// <exception cref="AttestationException">The file was replaced after loading, or cannot be read.</exception>
    public Hash256 BuildDigest()
    {
        var digest = stackalloc byte[Hash256.Size];
        NativeError error;
        ShimStatus.Check(Functions.BuildDigest(digest, &error), error);
        return new Hash256(new ReadOnlySpan<byte>(digest, Hash256.Size));
    }

    /// <summary>Every kind of evidence and whether it can be produced here.</summary>
    public IReadOnlyList<AttesterInfo> Attesters()
    {
        const int capacity = 16;
        var list = stackalloc NativeAttesterInfo[capacity];
        nuint written;
        ShimStatus.Check(Functions.Attesters(list, capacity, &written), "the list of attesters could not be read");
        var attesters = new AttesterInfo[(int)written];
        for (var i = 0; i < attesters.Length; i++)
        {
            ref var entry = ref list[i];
            fixed (byte* name = entry.Name, reason = entry.Reason)
                attesters[i] = new AttesterInfo((EvidenceKind)entry.Kind, NativeText.Read(name, NativeAttesterInfo.NameSize), entry.Available == 1, NativeText.Read(reason, NativeAttesterInfo.ReasonSize));
        }

        return attesters;
    }
}
