using System.Text;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Settling;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Witnessing;

/// <summary>Where one witness stands.</summary>
/// <param name="Cosigned">Size of the newest checkpoint that it cosigned; 0: none.</param>
/// <param name="Trouble">What is wrong with it now; null when nothing is.</param>
public sealed record WitnessStatus(string Name, ulong Cosigned, ConditionKind? Trouble, string Detail);

/// <summary>
/// Brings one witness to the newest checkpoint of the journal. What the witness knows decides where the proof begins; the
/// cosignature goes to the journal before anybody is shown it. Used by one caller at a time; <see cref="Status"/> by anyone.
/// </summary>
internal sealed class WitnessSession(SettlementState state, JournalWriter journal, WitnessClient client, WitnessAddress witness, ISignatureVerifier signatures, Hash256 logId)
{
    // Its size, what we sent and its size again: more rounds mean that somebody else submits at the same time.
    private const int Rounds = 3;

    private ulong _known;
    private ulong? _asked; // the operation that it answered for last; null before the first answer
    private volatile WitnessStatus _status = new(witness.Key.Name, 0, null, "");

    public WitnessStatus Status => _status;

    /// <summary>One submission, if something is new. True when a cosignature was recorded.</summary>
    public async Task<bool> LookAsync(CancellationToken cancellationToken)
    {
        var newest = state.Locked(view => view.Operations.LastOrDefault(operation => operation.Checkpoint is not null));
        if (newest is null)
        {
            if (_asked is null || _status.Trouble is not null) await AskAsync(0, cancellationToken).ConfigureAwait(false);
            return false;
        }

        var signed = newest.Checkpoint!;
        if (_asked is null) Recall();
        if (_asked == newest.Id && _status.Trouble is null) return false;
        for (var round = 0; round < Rounds; round++)
        {
            if (_known > signed.Size)
            {
                await AskAsync(signed.Size, cancellationToken).ConfigureAwait(false);
                _known = 0; // its own answer says where it stands by the next look
                return false;
            }

            var proof = state.Locked(view => view.Tree.ConsistencyProof(_known, signed.Size));
            var (answer, silence) = await client.SubmitAsync(new(_known, proof, signed.Note), cancellationToken).ConfigureAwait(false);
            if (answer is null)
            {
                Say(ConditionKind.WitnessUnavailable, silence);
                return false;
            }

            switch (answer.Status)
            {
                case 200: return await TakeAsync(newest, answer, cancellationToken).ConfigureAwait(false);
                case 409 when WitnessClient.SizeIn(answer) is { } size && size != _known:
                    _known = size;
                    continue;
                case 422:
                    Say(ConditionKind.WitnessDisagrees, $"what it cosigned at size {_known} is not a prefix of this log's checkpoint of size {signed.Size} ({answer})");
                    return false;
                default:
                    Say(ConditionKind.WitnessUnavailable, $"it does not cosign: {answer}");
                    return false;
            }
        }

        Say(ConditionKind.WitnessUnavailable, "its size changes with every submission");
        return false;
    }

    // What the journal says that it cosigned; a wrong guess costs one 409.
    private void Recall() => _known = state.Locked(view =>
    {
        for (var i = view.Operations.Count - 1; i >= 0; i--)
            if (view.Operations[i].Cosignatures.Exists(IsItsLine)) return view.Operations[i].Checkpoint!.Size;
        return 0UL;
    });

    private bool IsItsLine(ReadOnlyMemory<byte> line) => CheckpointNote.ParseSignatures(line.Span)[0].IsBy(witness.Key);

    // It knows more than the journal signed, or nothing was signed yet: what does it show? Its word alone stops signing, for
    // a wrong stop costs time and a wrong signature the log's good name; the log's own signature on it settles the matter.
    private async Task AskAsync(ulong signedSize, CancellationToken cancellationToken)
    {
        var shown = await client.ViewAsync(SignedNote.Origin(logId), cancellationToken).ConfigureAwait(false);
        var newestSigned = state.Locked(view => view.Operations.LastOrDefault(operation => operation.Checkpoint is not null))?.Checkpoint!.Size ?? 0;
        var known = Math.Max(_known, shown?.Size ?? 0);
        if (known <= newestSigned)
        {
            // A newer checkpoint of ours reached it by another way: the next look takes that one.
            if (newestSigned > signedSize || known == 0) Settle(null);
            return;
        }

        var proof = shown is not null && shown.Signatures.Any(line => line.Name == shown.Origin) ? $"; it shows that checkpoint with a signature line of this log, root {Convert.ToBase64String(shown.Root.Bytes)}" : "";
        Say(ConditionKind.WitnessAhead, $"it cosigned size {known}, the journal has signed no more than {newestSigned}{proof}");
    }

    private async Task<bool> TakeAsync(ChainOperation operation, WitnessAnswer answer, CancellationToken cancellationToken)
    {
        var text = SignedNote.Text(logId, operation.Checkpoint!.Size, operation.Checkpoint.Root);
        if (Line(answer.Body, text) is not { } line)
        {
            Say(ConditionKind.WitnessUnavailable, "it answers 200 without a cosignature by its key");
            return false;
        }

        _known = operation.Checkpoint.Size;
        var isNew = !operation.Cosignatures.Exists(IsItsLine);
        if (isNew) await journal.AppendAsync(RecordType.Cosigned, new CosignedRecord(state.Now(), operation.Id, line).Encode(), cancellationToken).ConfigureAwait(false);
        Settle(operation.Id);
        return isNew;
    }

    private byte[]? Line(ReadOnlyMemory<byte> body, byte[] text)
    {
        try
        {
            // Lines of other keys are ignored, as C2SP asks.
            foreach (var line in CheckpointNote.ParseSignatures(body.Span))
            {
                if (!line.IsBy(witness.Key) || !Cosignature.Verify(witness.Key, text, line.Signature.Span, signatures)) continue;
                return Cosignature.Line(witness.Key, Cosignature.TimeOf(line.Signature.Span)!.Value, line.Signature.Span[8..]);
            }
        }
        catch (FormatException)
        {
            // Said below.
        }

        return null;
    }

    private void Settle(ulong? operation)
    {
        _asked = operation ?? ulong.MaxValue;
        _status = new(witness.Key.Name, operation is null ? _status.Cosigned : _known, null, "");
    }

    private void Say(ConditionKind kind, string detail)
    {
        _asked ??= ulong.MaxValue;
        _status = _status with { Trouble = kind, Detail = $"witness {witness.Key.Name}: {detail}" };
    }
}
