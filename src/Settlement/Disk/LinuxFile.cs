using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OpenGradient.Engine.Settlement.Disk;

internal sealed unsafe class LinuxFile(string path, int descriptor) : IDiskFile
{
    private readonly SafeFileHandle _handle = new(descriptor, ownsHandle: true);

    public long Length
    {
        get
        {
            using var held = Hold(out var fd);
            var length = Libc.Seek(fd, 0, Libc.SeekEnd);
            return length >= 0 ? length : throw Failed("lseek");
        }
    }

    public int Read(Span<byte> destination, long offset)
    {
        using var held = Hold(out var fd);
        var done = 0;
        fixed (byte* buffer = destination)
        {
            while (done < destination.Length)
            {
                var count = Libc.Read(fd, buffer + done, (nuint)(destination.Length - done), offset + done);
                if (count == 0) break;
                if (count > 0) done += (int)count;
                else if (Marshal.GetLastPInvokeError() != Libc.Interrupted) throw Failed("pread");
            }
        }

        return done;
    }

    public void Write(ReadOnlySpan<byte> source, long offset)
    {
        using var held = Hold(out var fd);
        var done = 0;
        fixed (byte* buffer = source)
        {
            while (done < source.Length)
            {
                var count = Libc.Write(fd, buffer + done, (nuint)(source.Length - done), offset + done);
                if (count > 0) done += (int)count;
                else if (count == 0 || Marshal.GetLastPInvokeError() != Libc.Interrupted) throw Failed("pwrite");
            }
        }
    }

    public void Sync()
    {
        using var held = Hold(out var fd);
        // Not repeated on EINTR or anything else: after a failed sync the kernel may have dropped the dirty pages.
        if (Libc.SyncData(fd) != 0) throw Failed("fdatasync");
    }

    public void Truncate(long length)
    {
        using var held = Hold(out var fd);
        if (Libc.Truncate(fd, length) != 0) throw Failed("ftruncate");
    }

    public void Allocate(long length)
    {
        using var held = Hold(out var fd);
        int result;
        do result = Libc.Allocate(fd, 0, 0, length);
        while (result != 0 && Marshal.GetLastPInvokeError() == Libc.Interrupted);
        if (result == 0) return;
        if (Marshal.GetLastPInvokeError() != Libc.NotSupported) throw Failed("fallocate");
        if (Libc.Seek(fd, 0, Libc.SeekEnd) < length && Libc.Truncate(fd, length) != 0) throw Failed("ftruncate");
    }

    public void Dispose() => _handle.Dispose();

    private Held Hold(out int fd)
    {
        var added = false;
        _handle.DangerousAddRef(ref added);
        fd = (int)_handle.DangerousGetHandle();
        return new Held(_handle);
    }

    private DiskException Failed(string operation) => new(operation, path, Marshal.GetLastPInvokeError());

    // Keeps the descriptor open while a call is inside the kernel, so that a late Dispose cannot hand its number to another file.
    private readonly ref struct Held(SafeFileHandle handle)
    {
        public void Dispose() => handle.DangerousRelease();
    }
}
