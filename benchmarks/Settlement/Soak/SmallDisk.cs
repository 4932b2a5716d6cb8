using System.Diagnostics;

namespace OpenGradient.Engine.Benchmarks.Settlement.Soak;

/// <summary>A tmpfs that can be filled to its last page and freed again. The data folder lies on it.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string _filler;

    private SmallDisk(string root)
    {
        Root = root;
        _filler = Path.Combine(root, "filler");
    }

    public string Root { get; }

    /// <summary>Null where nothing may be mounted.</summary>
    public static SmallDisk? TryMount(string folder, int mebibytes)
    {
        if (mebibytes == 0) return null;
        Directory.CreateDirectory(folder);
        return Run("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m,mode=700", "tmpfs", folder) ? new SmallDisk(folder) : null;
    }

    /// <summary>Leaves no free page.</summary>
    public void Fill()
    {
        // Unbuffered, so that nothing is left to be written when it is closed.
        using var file = new FileStream(_filler, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        var block = new byte[256 * 1024];
        for (var size = block.Length; size >= 4096;)
        {
            try
            {
                file.Write(block, 0, size);
            }
            catch (IOException)
            {
                size /= 2;
            }
        }
    }

    public void Free() => File.Delete(_filler);

    public void Dispose() => Run("umount", "-l", Root);

    private static bool Run(string file, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
