using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Custody;

/// <summary>What an audit holds everything against.</summary>
public sealed record AuditTrust
{
    public required Hash256 LogId { get; init; }

    public required ulong ChainId { get; init; }

    public required EvmAddress Contract { get; init; }

    public required ISignatureVerifier Signatures { get; init; }

    public required IEpochJudge Epochs { get; init; }

    /// <summary>Witnesses whose cosignatures are checked; others' lines are passed over.</summary>
    public IReadOnlyList<VerifierKey> Witnesses { get; init; } = [];
}

/// <summary>Checks checkpoints as the journal has them: root, both signatures, the head they build on; and the published file.</summary>
internal sealed class CheckpointAudit(AuditTrust trust, AuditReport report)
{
    /// <summary>The log's key, once a checkpoint has shown it.</summary>
    public ReadOnlyMemory<byte> LogKey { get; private set; }

    /// <summary>The last checkpoints' notes with their cosignatures, oldest first: the published one is among them.</summary>
    private readonly LinkedList<(ulong Operation, SignedCheckpoint Signed, List<ReadOnlyMemory<byte>> Lines)> _newest = new();

    // A crash may leave the checkpoint of before published, and a full disk some more.
    private const int Kept = 1024;

    /// <summary>Why the checkpoint is wrong; null when it is right.</summary>
    public string? Check(OpenedRecord opened, TileTree tree)
    {
        var signed = opened.Checkpoint!;
        if (signed.Size > tree.Size) return $"a checkpoint of size {signed.Size} was signed when the log had {tree.Size} leaves";
        if (_newest.Last is { } before && signed.Size < before.Value.Signed.Size) return $"a checkpoint of size {signed.Size} was signed after one of size {before.Value.Signed.Size}";
        var root = tree.RootAt(signed.Size);
        if (signed.Root != root) return $"root {root} is expected for size {signed.Size}, {signed.Root} was signed";
        if (signed.ChainId != trust.ChainId || signed.Contract != trust.Contract) return $"the checkpoint of size {signed.Size} is for chain {signed.ChainId} and contract {signed.Contract}";
        var key = signed.LogPublicKey.Span;
        if (SignedNote.LogIdOf(key) != trust.LogId) return $"the checkpoint of size {signed.Size} is by another log's key";
        var note = SignedNote.SignatureOf(signed.Note.Span, key, signed.Size, signed.Root);
        if (note is null || !trust.Signatures.VerifyEd25519(key, SignedNote.Text(trust.LogId, signed.Size, signed.Root), note)) return $"the note of size {signed.Size} is not the log key's";
        if (trust.Epochs.SigningKey(signed.Epoch) is not { } signer) return $"the checkpoint of size {signed.Size} is signed by epoch {signed.Epoch}, whose evidence is unknown";
        if (!trust.Signatures.VerifySecp256k1(signer.Span, signed.ClaimFor(trust.LogId).Digest(), signed.Signature.Span)) return $"the checkpoint of size {signed.Size} is not signed by its epoch's key";
        LogKey = signed.LogPublicKey;
        _newest.AddLast((opened.Id, signed, []));
        if (_newest.Count > Kept) _newest.RemoveFirst();
        report.Checkpoints++;
        return null;
    }

    /// <summary>Why the cosignature is wrong; null when it is right, or by a witness that nobody asked about.</summary>
    public string? Check(CosignedRecord cosigned)
    {
        var found = _newest.FirstOrDefault(each => each.Operation == cosigned.Operation);
        if (found.Signed is null) return _newest.First?.Value.Operation > cosigned.Operation ? null : $"operation {cosigned.Operation}, which is no checkpoint, was cosigned";
        var line = CheckpointNote.ParseSignatures(cosigned.Line.Span)[0];
        var text = SignedNote.Text(trust.LogId, found.Signed.Size, found.Signed.Root);
        if (trust.Witnesses.FirstOrDefault(line.IsBy) is { } witness && !Cosignature.Verify(witness, text, line.Signature.Span, trust.Signatures))
            return $"the cosignature of {witness.Name} over size {found.Signed.Size} does not verify";
        var name = CosignedRecord.NameOf(cosigned.Line.Span);
        if (!found.Lines.Exists(known => CosignedRecord.NameOf(known.Span) == name)) found.Lines.Add(cosigned.Line);
        report.Cosignatures++;
        return null;
    }

    /// <summary>Compares the published file: the note of one of the journal's checkpoints, followed by cosignatures in the order they came.</summary>
    public void ComparePublished(string name, byte[] published)
    {
        // Of all that could stand there, the one that the fewest bytes differ from: a size with a wrong digit is still that size.
        var best = (Wrong: int.MaxValue, Expected: Array.Empty<byte>());
        for (var each = _newest.Last; each is not null; each = each.Previous)
        {
            var expected = each.Value.Signed.Note.ToArray();
            var lines = each.Value.Lines;
            for (var count = 0; ; count++)
            {
                var wrong = Differences(published, expected);
                if (wrong == 0) return;
                if (wrong < best.Wrong) best = (wrong, expected);
                if (count == lines.Count) break;
                expected = [.. expected, .. lines[count].Span];
            }
        }

        if (best.Expected.Length == 0) throw new AuditStoppedException(name, 0, "a checkpoint is published, but the outbox holds none");
        var at = published.AsSpan().CommonPrefixLength(best.Expected);
        throw new AuditStoppedException(name, at, at == published.Length ? $"{best.Expected.Length} bytes expected, {published.Length} are there"
            : at == best.Expected.Length ? $"the end of the file expected after {at} bytes"
            : $"0x{best.Expected[at]:x2} expected, 0x{published[at]:x2} is there");
    }

    private static int Differences(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        var differences = Math.Abs(a.Length - b.Length);
        for (var i = 0; i < Math.Min(a.Length, b.Length); i++)
            if (a[i] != b[i]) differences++;
        return differences;
    }
}
