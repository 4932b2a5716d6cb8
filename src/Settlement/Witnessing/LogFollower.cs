using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Log;

namespace OpenGradient.Engine.Settlement.Witnessing;

/// <summary>How one look at a published log ended.</summary>
public enum FollowStatus
{
    /// <summary>It was cosigned.</summary>
    Cosigned,

    /// <summary>Nothing new.</summary>
    Unchanged,

    /// <summary>The log, or a tile that the proof needs, is not to be had now.</summary>
    Unreachable,

    /// <summary>What is published is no checkpoint of this log.</summary>
    Refused,

    /// <summary>What is published does not extend what was cosigned, or is smaller: alarm.</summary>
    Inconsistent,
}

public sealed record FollowOutcome(FollowStatus Status, ulong Size, string Detail);

/// <summary>
/// Follows a log by its published files: fetches the checkpoint, makes the consistency proof from tiles, and hands both to
/// the witness as anybody else would. Used by one caller at a time.
/// </summary>
public sealed class LogFollower(Witness witness, WitnessedLog log, ILogFiles files)
{
    public async Task<FollowOutcome> LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await files.ReadAsync(TilePath.Checkpoint, CheckpointNote.MaxSize, cancellationToken).ConfigureAwait(false) is not { } bytes)
                return new(FollowStatus.Unreachable, 0, $"{files.NameOf(TilePath.Checkpoint)}: no checkpoint is published yet");
            return await TakeAsync(bytes, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException unreachable)
        {
            return new(FollowStatus.Unreachable, 0, unreachable.Message);
        }
    }

    private async Task<FollowOutcome> TakeAsync(byte[] bytes, CancellationToken cancellationToken)
    {
        CheckpointNote note;
        try
        {
            note = CheckpointNote.Parse(bytes);
        }
        catch (FormatException malformed)
        {
            return new(FollowStatus.Refused, 0, malformed.Message);
        }

        if (note.Origin != log.Key.Name) return new(FollowStatus.Refused, note.Size, $"the checkpoint is of '{note.Origin}'");
        var known = witness.LastOf(log);
        if (known == (note.Size, note.Root)) return new(FollowStatus.Unchanged, note.Size, "");
        if (note.Size < known?.Size) return new(FollowStatus.Inconsistent, note.Size, $"the log publishes size {note.Size}, but {known.Value.Size} was cosigned: an old copy of it is running, or it shows different sizes to different readers");

        var old = known?.Size ?? 0;
        var proof = await new PublishedTree(files, note.Size).ConsistencyProofAsync(old, cancellationToken).ConfigureAwait(false);
        var answer = witness.AddCheckpoint(new AddCheckpointRequest(old, proof, bytes).Encode());
        return answer.Status switch
        {
            200 => new(FollowStatus.Cosigned, note.Size, ""),
            409 => new(FollowStatus.Unchanged, note.Size, "another submission was faster"),
            422 => new(FollowStatus.Inconsistent, note.Size, answer.ToString()),
            _ => new(FollowStatus.Refused, note.Size, answer.ToString()),
        };
    }
}
