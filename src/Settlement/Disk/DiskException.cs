namespace OpenGradient.Engine.Settlement.Disk;

/// <summary>A file operation failed: which one, on what, and the errno.</summary>
public sealed class DiskException : IOException
{
    private const int NoSpace = 28;      // ENOSPC
    private const int QuotaExceeded = 122; // EDQUOT

    public DiskException(string operation, string path, int errno)
        : base($"{operation} {path}: {System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})")
    {
        Operation = operation;
        Errno = errno;
    }

    public DiskException(string message) : base(message) => Operation = "";

    public DiskException() => Operation = "";

    public DiskException(string message, Exception innerException) : base(message, innerException) => Operation = "";

    public string Operation { get; }

    public int Errno { get; }

    /// <summary>The disk or the quota is full: the one failure that time can heal.</summary>
    public bool IsFull => Errno is NoSpace or QuotaExceeded;
}
