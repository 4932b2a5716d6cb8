using System.Runtime.InteropServices;

namespace OpenGradient.Engine.Settlement.Disk;

/// <summary>
/// libc as 64-bit Linux declares it. .NET's own streams cannot sync a folder and can drop an fsync error, so durable
/// code asks the kernel itself.
/// </summary>
internal static unsafe partial class Libc
{
    public const int ReadWrite = 2;        // O_RDWR
    public const int ReadOnly = 0;         // O_RDONLY
    public const int Create = 0x40;        // O_CREAT
    public const int CloseOnExec = 0x80000; // O_CLOEXEC
    public const int OwnerOnly = 0x180;    // 0600: the outbox holds callers' receipt ids
    public const int LockExclusiveNow = 2 | 4; // LOCK_EX | LOCK_NB
    public const int Interrupted = 4;      // EINTR
    public const int WouldBlock = 11;      // EWOULDBLOCK
    public const int NotSupported = 95;    // EOPNOTSUPP
    public const int InvalidArgument = 22; // EINVAL: some file systems refuse to sync a folder
    public const int SeekEnd = 2;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    public static partial nint Read(int descriptor, byte* buffer, nuint count, long offset);

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)]
    public static partial nint Write(int descriptor, byte* buffer, nuint count, long offset);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    public static partial int SyncData(int descriptor);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int Truncate(int descriptor, long length);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    public static partial int Allocate(int descriptor, int mode, long offset, long length);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(int descriptor, long offset, int origin);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    public static partial int Lock(int descriptor, int operation);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Rename(string from, string to);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unlink(string path);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MakeFolder(string path, int mode);
}
