using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Benchmarks.Settlement.Report;

namespace OpenGradient.Engine.Benchmarks.Settlement;

/// <summary>What every point needs.</summary>
internal sealed class BenchContext(RunOptions options, Figures figures)
{
    public RunOptions Options => options;

    public Figures Figures => figures;

    public AttestationShim Shim { get; } = AttestationShim.Load();

    /// <summary>An empty folder on the measured disk; whoever asks deletes it.</summary>
    public DirectoryInfo NewFolder(string name)
    {
        var folder = new DirectoryInfo(Path.GetFullPath(Path.Combine(options.Folder, $"{name}-{Guid.NewGuid():N}")));
        folder.Create();
        return folder;
    }

    /// <summary>Progress, on standard error.</summary>
    public static void Note(FormattableString text) => Console.Error.WriteLine(FormattableString.Invariant(text));
}
