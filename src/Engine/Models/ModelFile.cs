using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OpenGradient.Engine.Models;

/// <summary>
/// Opens regular files only, and knows where they truly are. A path is first looked up without opening what it names
/// (<c>O_PATH</c>: no device is touched, no FIFO waits for a writer), what was found is judged, and exactly that is opened:
/// nothing can be put in its place between.
/// </summary>
internal static unsafe partial class ModelFile
{
    // The same on x86-64 and arm64 (asm-generic/fcntl.h, linux/stat.h, linux/fcntl.h).
    private const int ReadOnly = 0, CloseOnExec = 0x80000, PathOnly = 0x200000;
    private const int EmptyPath = 0x1000;
    private const uint AskType = 1;
    private const int StatxSize = 256, StatxMode = 28;
    private const int TypeMask = 0xF000, Regular = 0x8000, Folder = 0x4000, Device = 0x2000, Block = 0x6000, Fifo = 0x1000, Socket = 0xC000;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Statx(int folder, string path, int flags, uint mask, byte* buffer);

    /// <summary>The folder without symbolic links, as the kernel names it.</summary>
    /// <exception cref="IOException">It cannot be looked up.</exception>
    public static string TruePath(string folder)
    {
        using var place = LookUp(folder);
        return PathOf(place);
    }

    /// <summary>Opens a regular file for reading.</summary>
    /// <param name="path">Symbolic links in it are followed.</param>
    /// <param name="within">Null, or the true path of a folder that the file must be in once all links are followed.</param>
    /// <exception cref="IOException">It is missing, unreadable, not a regular file, or outside of the folder; the message says which, without the path.</exception>
    public static SafeFileHandle OpenRegular(string path, string? within)
    {
        using var place = LookUp(path);
        if (KindOf(place) is { } other) throw new IOException($"it is {other}, not a regular file");
        if (within is not null && !PathOf(place).StartsWith(within.TrimEnd('/') + '/', StringComparison.Ordinal))
            throw new IOException("it is a link out of the model's own folder");
        return Check(Open(SelfPath(place), ReadOnly | CloseOnExec));
    }

    private static SafeFileHandle LookUp(string path) => Check(Open(path, PathOnly | CloseOnExec));

    private static SafeFileHandle Check(int descriptor) =>
        descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failed();

    /// <summary>Null for a regular file.</summary>
    private static string? KindOf(SafeFileHandle place)
    {
        var status = stackalloc byte[StatxSize];
        if (Statx((int)place.DangerousGetHandle(), "", EmptyPath, AskType, status) != 0) throw Failed();
        return (*(ushort*)(status + StatxMode) & TypeMask) switch
        {
            Regular => null,
            Folder => "a folder",
            Device or Block => "a device",
            Fifo => "a FIFO",
            Socket => "a socket",
            _ => "of an unknown kind",
        };
    }

    private static string PathOf(SafeFileHandle place) =>
        File.ResolveLinkTarget(SelfPath(place), returnFinalTarget: false)?.FullName ?? throw new IOException("/proc/self/fd does not say where it is");

    private static string SelfPath(SafeFileHandle place) => $"/proc/self/fd/{place.DangerousGetHandle()}";

    private static IOException Failed() => new(Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()));
}
