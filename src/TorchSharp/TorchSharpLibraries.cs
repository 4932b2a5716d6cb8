using System.Security.Cryptography;
using System.Text;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.TorchSharp;

/// <summary>The native libraries that TorchSharp has loaded, as the process maps them.</summary>
internal static class TorchSharpLibraries
{
    private static readonly string[] Names = ["libLibTorchSharp.so", "libtorch_cpu.so", "libtorch_cuda.so"];

    /// <summary>Over lines of name, space, digest, in the order of the names; zero where none of them is mapped.</summary>
    public static Hash256 Digest()
    {
        var lines = new StringBuilder();
        foreach (var path in Mapped().DistinctBy(Path.GetFileName).OrderBy(Path.GetFileName, StringComparer.Ordinal))
        {
            using var file = File.OpenRead(path);
            lines.Append(Path.GetFileName(path)).Append(' ').Append(new Hash256(SHA256.HashData(file))).Append('\n');
        }

        return lines.Length == 0 ? Hash256.Zero : Hash256.Sha256(Encoding.UTF8.GetBytes(lines.ToString()));
    }

    private static IEnumerable<string> Mapped() =>
        from line in File.ReadLines("/proc/self/maps")
        let start = line.IndexOf('/', StringComparison.Ordinal)
        where start >= 0 && Names.Any(name => Path.GetFileName(line.AsSpan(start)).StartsWith(name, StringComparison.Ordinal))
        select line[start..];
}
