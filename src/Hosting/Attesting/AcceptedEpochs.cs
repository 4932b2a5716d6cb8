using System.Globalization;
using System.Text;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Hosting.Attesting;

/// <summary>
/// The platforms' evidence that this folder's hosts accepted when its epoch began. Certificates and lists of that time are gone later, so an
/// epoch that was accepted then stays accepted in its own folder; everybody else judges it by the chain's time. A file beside the keys, one
/// line per epoch, appended and synced before the epoch signs anything. Whoever can write it can read the log's key. Safe for concurrent calls.
/// </summary>
public sealed class AcceptedEpochs : IEvidenceVerifier
{
    // More than an installation's epochs (EpochRegistry.MaxEpochs) are none of ours.
    private const int MostLines = 65_536;
    private const int LongestLine = 160;

    private readonly IEvidenceVerifier _inner;
    private readonly string _path;
    private readonly HashSet<Hash256> _accepted = [];
    private readonly Lock _lock = new();

    private AcceptedEpochs(IEvidenceVerifier inner, string path) => (_inner, _path) = (inner, path);

    /// <param name="inner">Judges what the file does not name.</param>
    /// <param name="path">The file; absent at first.</param>
    /// <exception cref="IOException">It cannot be read, or is not what <see cref="Remember"/> writes.</exception>
    public static AcceptedEpochs Open(IEvidenceVerifier inner, string path)
    {
        var epochs = new AcceptedEpochs(inner, path);
        if (!File.Exists(path)) return epochs;
        if (new FileInfo(path).Length > (long)MostLines * LongestLine) throw new IOException($"{path} is larger than a host writes");
        var text = File.ReadAllText(path);
        // A line that a crash cut short belongs to an epoch that signed nothing.
        foreach (var line in text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var fields = line.Split(' ');
            if (fields.Length != 4 || !Hash256.TryParse(fields[0], out var digest)) throw new IOException($"{path}: a line is not a digest, an epoch, a time and a policy");
            epochs._accepted.Add(digest);
        }

        return epochs;
    }

    /// <summary>Remembers evidence that was accepted.</summary>
    /// <exception cref="IOException">It could not be made durable.</exception>
    public void Remember(Epoch epoch, DateTimeOffset at, in Hash256 policy)
    {
        lock (_lock)
        {
            if (!_accepted.Add(epoch.EvidenceDigest)) return;
            var line = string.Create(CultureInfo.InvariantCulture, $"{epoch.EvidenceDigest} {epoch.Id} {at.ToUnixTimeSeconds()} {policy}\n");
            using var file = new FileStream(_path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
            file.SetLength(WholeLines(file));
            file.Seek(0, SeekOrigin.End);
            file.Write(Encoding.ASCII.GetBytes(line));
            file.Flush(flushToDisk: true);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<VerificationFailure> Verify(Evidence evidence, EvidenceTrust trust, DateTimeOffset at)
    {
        if (evidence.Kind != EvidenceKind.Software)
        {
            lock (_lock)
                if (_accepted.Contains(Hash256.Sha256(evidence.Encode()))) return [];
        }

        return _inner.Verify(evidence, trust, at);
    }

    // What follows the last newline was cut short, and would join the next line.
    private static long WholeLines(FileStream file)
    {
        for (var end = file.Length; end > 0; end--)
        {
            file.Position = end - 1;
            if (file.ReadByte() == '\n') return end;
        }

        return 0;
    }
}
