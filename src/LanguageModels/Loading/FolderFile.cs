using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>
/// Opens a model folder's files: regular ones only, so that no FIFO makes a loader wait and no device feeds it. Symbolic
/// links are followed: download caches are made of them.
/// </summary>
internal static unsafe partial class FolderFile
{
    // The same on x86-64 and arm64 (asm-generic/fcntl.h, linux/stat.h, linux/fcntl.h).
    private const int ReadOnly = 0, NonBlocking = 0x800, CloseOnExec = 0x80000;
    private const int EmptyPath = 0x1000, NoEntry = 2;
    private const uint AskType = 1;
    private const int StatxSize = 256, StatxMode = 28, TypeMask = 0xF000, Regular = 0x8000, Folder = 0x4000;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Statx(int folder, string path, int flags, uint mask, byte* buffer);

    /// <exception cref="LanguageModelLoadException">Missing, unreadable or not a regular file; the message begins with the file's name.</exception>
    public static SafeFileHandle OpenRegular(string folder, string name) =>
        TryOpen(folder, name) ?? throw new LanguageModelLoadException($"{name} is missing");

    /// <summary>The file's bytes.</summary>
    /// <exception cref="LanguageModelLoadException">It cannot be opened, is larger than <paramref name="most"/> bytes, or shrank while it was read.</exception>
    public static byte[] Read(string folder, string name, int most)
    {
        using var file = OpenRegular(folder, name);
        return Read(file, name, most);
    }

    /// <summary>The file's bytes, or null when there is no such file.</summary>
    public static byte[]? ReadIfThere(string folder, string name, int most)
    {
        using var file = TryOpen(folder, name);
        return file is null ? null : Read(file, name, most);
    }

    /// <summary>Fills the whole span from an offset.</summary>
    /// <exception cref="LanguageModelLoadException">The file ends before, or cannot be read.</exception>
    public static void ReadExactly(SafeFileHandle file, string name, long offset, Span<byte> into)
    {
        try
        {
            while (!into.IsEmpty)
            {
                var read = RandomAccess.Read(file, into, offset);
                if (read == 0) throw new LanguageModelLoadException($"{name} shrank while it was read: it ends at byte {offset}");
                offset += read;
                into = into[read..];
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LanguageModelLoadException($"{name} cannot be read at byte {offset}: {error.Message}", error);
        }
    }

    private static byte[] Read(SafeFileHandle file, string name, int most)
    {
        var length = RandomAccess.GetLength(file);
        if (length > most) throw new LanguageModelLoadException($"{name} is {length} bytes, more than the {most} that are read");
        var bytes = new byte[length];
        ReadExactly(file, name, 0, bytes);
        return bytes;
    }

    private static SafeFileHandle? TryOpen(string folder, string name)
    {
        var descriptor = Open(Path.Combine(folder, name), ReadOnly | NonBlocking | CloseOnExec);
        if (descriptor < 0)
        {
            var problem = Marshal.GetLastPInvokeError();
            return problem == NoEntry ? null : throw new LanguageModelLoadException($"{name} cannot be opened: {Marshal.GetPInvokeErrorMessage(problem)}");
        }

        var file = new SafeFileHandle(descriptor, ownsHandle: true);
        if (KindOf(descriptor) is not { } other) return file;
        file.Dispose();
        throw new LanguageModelLoadException($"{name} is {other}, not a regular file");
    }

    /// <summary>Null for a regular file.</summary>
    private static string? KindOf(int descriptor)
    {
        var status = stackalloc byte[StatxSize];
        if (Statx(descriptor, "", EmptyPath, AskType, status) != 0) return "of an unknown kind";
        return (*(ushort*)(status + StatxMode) & TypeMask) switch { Regular => null, Folder => "a folder", _ => "a device, a FIFO or a socket" };
    }
}
