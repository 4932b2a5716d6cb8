using System.Text;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Log;

namespace OpenGradient.Engine.Settlement.Custody;

/// <summary>Compares what witnesses show of a log with the log itself: the same history, or two.</summary>
/// <param name="Name">How the witness is called in messages.</param>
/// <param name="Files">Below its monitoring prefix.</param>
public sealed record WitnessView(string Name, ILogFiles Files);

internal sealed class WitnessViewAudit(AuditTrust trust, AuditReport report)
{
    /// <param name="logKey">The log's Ed25519 key.</param>
    /// <param name="published">The log's own newest note: the other half of the evidence.</param>
    public async Task RunAsync(IReadOnlyList<WitnessView> views, TileTree tree, ReadOnlyMemory<byte> logKey, ReadOnlyMemory<byte> published, CancellationToken cancellationToken)
    {
        var key = SignedNote.KeyOf(logKey.Span);
        var path = $"{Hash256.Sha256(Encoding.UTF8.GetBytes(key.Name))}/{TilePath.Checkpoint}";
        foreach (var view in views)
        {
            if (await view.Files.ReadAsync(path, CheckpointNote.MaxSize, cancellationToken).ConfigureAwait(false) is not { } bytes)
            {
                report.Remarks.Add($"witness {view.Name} has cosigned nothing of this log");
                continue;
            }

            CheckpointNote note;
            try
            {
                note = CheckpointNote.Parse(bytes);
            }
            catch (FormatException malformed)
            {
                throw new AuditStoppedException(view.Files.NameOf(path), 0, malformed.Message);
            }

            if (note.Origin != key.Name || note.Check(key, trust.Signatures) != SignatureStanding.Valid) throw new AuditStoppedException(view.Files.NameOf(path), 0, "a checkpoint that this log's key signed is expected");
            if (note.Size > tree.Size) throw new AuditStoppedException($"witness {view.Name}", null, $"at most {tree.Size} leaves are expected, the log signed a checkpoint of size {note.Size} to it: the log is an old copy, or shows this reader less");
            var root = tree.RootAt(note.Size);
            if (root == note.Root) continue;
            throw new AuditStoppedException(new($"witness {view.Name}", null, $"root {root} is expected at size {note.Size}, the log signed {note.Root} to it: the log's key signed two histories"))
            {
                Equivocation = Equivocation.OfNotes(note.Origin, note.Size, bytes, published),
            };
        }
    }
}
