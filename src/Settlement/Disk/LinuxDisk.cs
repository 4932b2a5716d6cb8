using System.Runtime.InteropServices;

namespace OpenGradient.Engine.Settlement.Disk;

/// <summary>The machine's file system through libc. Stateless; safe for concurrent calls.</summary>
public sealed class LinuxDisk : IDisk
{
    private const int AlreadyExists = 17; // EEXIST
    private const int FolderMode = 0x1C0; // 0700

    public void CreateFolder(string path)
    {
        if (Directory.Exists(path)) return;
        var parent = Path.GetDirectoryName(path);
        if (!string.IsNullOrEmpty(parent)) CreateFolder(parent);
        if (Libc.MakeFolder(path, FolderMode) != 0 && Marshal.GetLastPInvokeError() != AlreadyExists)
            throw new DiskException("mkdir", path, Marshal.GetLastPInvokeError());
        if (!string.IsNullOrEmpty(parent)) SyncFolder(parent);
    }

    public bool Exists(string path) => File.Exists(path);

    public string[] List(string folder) =>
        Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path))] : [];

    public IDiskFile Open(string path, bool create) => new LinuxFile(path, OpenDescriptor(path, Libc.ReadWrite | (create ? Libc.Create : 0)));

    public void Rename(string from, string to)
    {
        if (Libc.Rename(from, to) != 0) throw new DiskException("rename", from, Marshal.GetLastPInvokeError());
    }

    public void Delete(string path)
    {
        if (Libc.Unlink(path) != 0) throw new DiskException("unlink", path, Marshal.GetLastPInvokeError());
    }

    public void SyncFolder(string path)
    {
        var descriptor = OpenDescriptor(path, Libc.ReadOnly);
        try
        {
            if (Libc.Sync(descriptor) != 0 && Marshal.GetLastPInvokeError() != Libc.InvalidArgument)
                throw new DiskException("fsync", path, Marshal.GetLastPInvokeError());
        }
        finally
        {
            _ = Libc.Close(descriptor);
        }
    }

    public IDisposable? TryLock(string path)
    {
        var descriptor = OpenDescriptor(path, Libc.ReadWrite | Libc.Create);
        if (Libc.Lock(descriptor, Libc.LockExclusiveNow) == 0) return new LinuxFile(path, descriptor);
        var errno = Marshal.GetLastPInvokeError();
        _ = Libc.Close(descriptor);
        return errno == Libc.WouldBlock ? null : throw new DiskException("flock", path, errno);
    }

    private static int OpenDescriptor(string path, int flags)
    {
        int descriptor;
        do descriptor = Libc.Open(path, flags | Libc.CloseOnExec, Libc.OwnerOnly);
        while (descriptor < 0 && Marshal.GetLastPInvokeError() == Libc.Interrupted);
        return descriptor >= 0 ? descriptor : throw new DiskException("open", path, Marshal.GetLastPInvokeError());
    }
}
