using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Settlement.Witnessing;

/// <summary>What a witness is given by whoever composes it. Nothing of it is disposed here.</summary>
public sealed record WitnessParts
{
    /// <summary>The name that cosignatures carry, best a host name with a path.</summary>
    public required string Name { get; init; }

    /// <summary>The witness's Ed25519 key; used for nothing else.</summary>
    public required INoteSigner Key { get; init; }

    public required ISignatureVerifier Signatures { get; init; }

    public required IReadOnlyList<WitnessedLog> Logs { get; init; }

    /// <summary>Absolute path; one process at a time.</summary>
    public required string Folder { get; init; }

    public IDisk Disk { get; init; } = new LinuxDisk();

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}

/// <summary>
/// Cosigns checkpoints of the logs that it knows, each only if it extends the one before (C2SP tlog-witness). What it
/// cosigned is on stable storage before it answers, and it never goes back. Safe for concurrent calls.
/// </summary>
public sealed class Witness : IDisposable
{
    private readonly Dictionary<string, Followed> _logs = [];
    private readonly WitnessParts _parts;
    private readonly WitnessStore _store;

    private Witness(WitnessParts parts)
    {
        _parts = parts;
        Key = new VerifierKey(parts.Name, NoteKeyType.Cosignature, parts.Key.PublicKey.ToArray());
        _store = new WitnessStore(parts.Disk, parts.Folder);
        try
        {
            foreach (var log in parts.Logs) _logs.Add(log.Key.Name, Recall(log));
        }
        catch
        {
            _store.Dispose();
            throw;
        }
    }

    /// <summary>What relying parties and logs pin.</summary>
    public VerifierKey Key { get; }

    public IReadOnlyList<WitnessedLog> Logs => _parts.Logs;

    /// <summary>Reads back what was cosigned.</summary>
    /// <exception cref="FormatException">A name or key that cannot be used, or a state file that is not this witness's own note.</exception>
    /// <exception cref="Outbox.OutboxLockedException">Another process holds the folder.</exception>
    /// <exception cref="DiskException">The disk refused.</exception>
    public static Witness Open(WitnessParts parts)
    {
        if (!VerifierKey.IsName(parts.Name)) throw new FormatException($"witness name '{parts.Name}': not empty, at most {VerifierKey.MaxNameLength} letters, no spaces and no plus signs");
        foreach (var log in parts.Logs)
            // With one key in both roles the two signatures stop being two statements.
            if (log.Key.PublicKey.Span.SequenceEqual(parts.Key.PublicKey)) throw new FormatException($"log {log.Key.Name} signs with this witness's own key");
        return new Witness(parts);
    }

    /// <summary>Answers one <c>add-checkpoint</c>.</summary>
    /// <param name="body">As it came.</param>
    public WitnessAnswer AddCheckpoint(ReadOnlySpan<byte> body)
    {
        AddCheckpointRequest request;
        CheckpointNote note;
        try
        {
            request = AddCheckpointRequest.Decode(body);
            note = CheckpointNote.Parse(request.Note.Span);
        }
        catch (FormatException malformed)
        {
            return WitnessAnswer.Refused(400, malformed.Message);
        }

        if (!_logs.TryGetValue(note.Origin, out var followed)) return WitnessAnswer.Refused(404, "this witness does not follow a log of that origin");
        switch (note.Check(followed.Log.Key, _parts.Signatures))
        {
            case SignatureStanding.Absent: return WitnessAnswer.Refused(403, "no signature by the log's key");
            case SignatureStanding.Invalid: return WitnessAnswer.Refused(403, "a signature that names the log's key does not verify");
        }

        if (request.OldSize > note.Size) return WitnessAnswer.Refused(400, $"the old size {request.OldSize} is above the checkpoint's {note.Size}");
        // One at a time: comparing the old size and storing the new one are a single step.
        lock (followed) return Judge(followed, request, note);
    }

    /// <summary>The note that was cosigned last for the log whose origin has this SHA-256, with both signatures; null when there is none.</summary>
    public byte[]? CheckpointOf(string originHash)
    {
        foreach (var followed in _logs.Values)
            if (followed.Log.OriginHash == originHash) return followed.Current?.Note;
        return null;
    }

    /// <summary>Size and root that were cosigned last; null when none ever were.</summary>
    public (ulong Size, Hash256 Root)? LastOf(WitnessedLog log) => _logs[log.Key.Name].Current is { } current ? (current.Size, current.Root) : null;

    public void Dispose() => _store.Dispose();

    private WitnessAnswer Judge(Followed followed, AddCheckpointRequest request, CheckpointNote note)
    {
        var (knownSize, knownRoot) = followed.Current is { } current ? (current.Size, current.Root) : (0UL, MerkleTree.EmptyRoot);
        if (request.OldSize != knownSize) return WitnessAnswer.Known(knownSize);
        if (note.Size == 0 && note.Root != MerkleTree.EmptyRoot) return Inconsistent(followed, request, note, "a checkpoint of size 0 has another root than the empty tree's");
        if (!MerkleTree.VerifyConsistency(knownSize, knownRoot, note.Size, note.Root, request.Proof))
            return Inconsistent(followed, request, note, $"the proof does not show that the tree of size {knownSize}, root {Convert.ToBase64String(knownRoot.Bytes)}, is a prefix of this checkpoint's");

        // A clock that was set back does not make an older cosignature of a larger tree.
        var now = (ulong)Math.Max(1, _parts.Clock.GetUtcNow().ToUnixTimeSeconds());
        var time = Math.Max(now, followed.Current?.Time ?? 0);
        var line = Cosignature.Line(Key, time, _parts.Key.SignNote(Cosignature.Message(time, note.Text.Span)));
        byte[] cosigned = [.. note.Text.Span, (byte)'\n', .. LogLines(note, followed.Log.Key), .. line];
        try
        {
            _store.Write(followed.Log, cosigned);
        }
        catch (DiskException failed)
        {
            // Nobody has heard of the cosignature, whether the file is there or not.
            return WitnessAnswer.Refused(503, $"the checkpoint could not be stored: {failed.Message}");
        }

        followed.Current = new(note.Size, note.Root, time, cosigned);
        return WitnessAnswer.Cosigned(line);
    }

    private WitnessAnswer Inconsistent(Followed followed, AddCheckpointRequest request, CheckpointNote note, string why)
    {
        try
        {
            _store.KeepRefused(followed.Log, note, request.Note.Span);
        }
        catch (DiskException)
        {
            // The refusal stands without the evidence.
        }

        return WitnessAnswer.Refused(422, why);
    }

    private static byte[] LogLines(CheckpointNote note, VerifierKey key)
    {
        var lines = new List<byte>();
        foreach (var line in note.Signatures)
        {
            if (!line.IsBy(key)) continue;
            var stamp = new byte[4 + line.Signature.Length];
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(stamp, line.KeyId);
            line.Signature.Span.CopyTo(stamp.AsSpan(4));
            lines.AddRange(System.Text.Encoding.UTF8.GetBytes($"\u2014 {line.Name} {Convert.ToBase64String(stamp)}\n"));
        }

        return [.. lines];
    }

    private Followed Recall(WitnessedLog log)
    {
        if (_store.Read(log) is not { } bytes) return new(log);
        var path = _store.PathOf(log);
        CheckpointNote note;
        try
        {
            note = CheckpointNote.Parse(bytes);
        }
        catch (FormatException malformed)
        {
            throw new FormatException($"{path}: {malformed.Message}; without what was cosigned last this witness must not go on: restore the file, or begin a new witness");
        }

        if (note.Origin != log.Key.Name || note.Check(log.Key, _parts.Signatures) != SignatureStanding.Valid || note.Check(Key, _parts.Signatures) != SignatureStanding.Valid)
            throw new FormatException($"{path}: not a checkpoint of {log.Key.Name} that {Key.Name} cosigned; was a key or a name changed?");
        var time = Cosignature.TimeOf(note.Signatures.Last(line => line.IsBy(Key)).Signature.Span)!.Value;
        return new(log) { Current = new(note.Size, note.Root, time, bytes) };
    }

    /// <summary>Its own lock guards it.</summary>
    private sealed class Followed(WitnessedLog log)
    {
        private volatile Cosigned? _current;

        public WitnessedLog Log => log;

        public Cosigned? Current
        {
            get => _current;
            set => _current = value;
        }
    }

    private sealed record Cosigned(ulong Size, Hash256 Root, ulong Time, byte[] Note);
}
