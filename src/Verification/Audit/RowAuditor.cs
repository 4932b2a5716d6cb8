using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Models;
using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Verification.Audit;

/// <summary>What executing a retained row again showed.</summary>
/// <param name="Reason">With <see cref="AuditOutcome.NotReproducible"/>.</param>
/// <param name="Detail">One sentence for people.</param>
/// <param name="Replay">With <see cref="AuditOutcome.Disputed"/>: what a fraud bundle is made of.</param>
public sealed record AuditFinding(AuditOutcome Outcome, AuditReason Reason, string Detail, ReplayResult? Replay = null)
{
    public static AuditFinding Nothing(AuditReason reason, string detail) => new(AuditOutcome.NotReproducible, reason, detail);
}

/// <summary>
/// Executes retained rows again, in a session of its own over the model's file: what serves cannot lie to it, and what has
/// happened to the served model's memory does not reach it. One model is open at a time. Used by one thread at a time.
/// </summary>
/// <param name="backend">Borrowed.</param>
/// <param name="limit">Longest execution of one row; it is then stopped.</param>
public sealed class RowAuditor(IModelBackend backend, TimeSpan limit, TimeProvider clock) : IDisposable
{
    private readonly ArtifactReader _reader = new(backend);
    private (string Path, Hash256 Identity, ExecutionOptions Options, IBackendModel Model, RowReplayer Rows)? _open;

    /// <summary>Executes one row again.</summary>
    /// <param name="modelPath">The file of the model that the statement names; null when it is not served here.</param>
    public AuditFinding Audit(RetainedRow row, string? modelPath)
    {
        try
        {
            var context = Statement.Decode(row.Receipt.Statement.Span).Context;
            if (Unpromised(context.Determinism) is { } unpromised) return unpromised;
            if (modelPath is null) return AuditFinding.Nothing(AuditReason.ModelMissing, $"model '{context.ModelName}' with identity {context.ModelIdentity} is not served here");
            var leaf = RowLeaf.Decode(row.Receipt.Leaf.Span);
            if (Hash256.Sha256(row.Input.Span) != leaf.Request) return AuditFinding.Nothing(AuditReason.InputMismatch, "the retained input is not the one that the receipt commits to");
            // An answer that was changed in memory is no part of what is judged; without it no element can be named.
            var answer = Hash256.Sha256(row.Output.Span) == leaf.Output ? new KnownAnswer(TensorSets.Read(row.Output)) : null;
            return Judge(Replay(row.Receipt, TensorSets.Read(row.Input), answer, context, modelPath));
        }
        catch (ModelLoadException missing)
        {
            // The message names files, and whoever holds the receipt reads this.
            return AuditFinding.Nothing(AuditReason.ModelMissing, $"the model's file cannot be used ({missing.Reason})");
        }
        catch (FormatException malformed)
        {
            return AuditFinding.Nothing(AuditReason.InputMismatch, malformed.Message);
        }
#pragma warning disable CA1031 // One row that a backend chokes on must not end the audit of all others.
        catch (Exception error)
#pragma warning restore CA1031
        {
            return AuditFinding.Nothing(AuditReason.BackendRefused, $"the row could not be executed again ({error.GetType().Name})");
        }
    }

    /// <summary>What a class says of a row without executing it; null for a class that promises its bits.</summary>
    public static AuditFinding? Unpromised(DeterminismClass determinism) => determinism switch
    {
        DeterminismClass.C => AuditFinding.Nothing(AuditReason.ContentDependent, "class C: the row's neighbours change the answer"),
        DeterminismClass.U => AuditFinding.Nothing(AuditReason.NotProbed, "class U: the model was not probed"),
        _ => null,
    };

    /// <summary>Closes the model that is open: it takes as much memory as the one that serves.</summary>
    public void Close()
    {
        if (_open is not { } open) return;
        _open = null;
        open.Rows.Dispose();
        open.Model.Dispose();
    }

    public void Dispose() => Close();

    /// <summary>From what a replay found to an outcome. Public so that its rules can be read and tested in one place.</summary>
    public static AuditFinding Judge(ReplayResult result) => result.Outcome switch
    {
        // WrongOutput: the receipt's bits came again; what was kept beside it is not the receipt's.
        ReplayOutcome.Reproduced or ReplayOutcome.WrongOutput => new(AuditOutcome.Reproduced, AuditReason.None, ""),
        // The receipt names batch size and slot, and there the bits are right: the class promised too much, the answer is the model's.
        ReplayOutcome.Differs when result.EqualInPlace == true => new(AuditOutcome.Reproduced, AuditReason.None, "at its own batch size and slot only: class A was stated wrongly"),
        ReplayOutcome.Differs => new(AuditOutcome.Disputed, AuditReason.None, result.Detail, result),
        ReplayOutcome.NotReproducibleHere => AuditFinding.Nothing(AuditReason.OtherRuntime, result.Detail),
        ReplayOutcome.WrongModel => AuditFinding.Nothing(AuditReason.ModelMissing, result.Detail),
        ReplayOutcome.WrongInput or ReplayOutcome.ReceiptInvalid => AuditFinding.Nothing(AuditReason.InputMismatch, result.Detail),
        _ => AuditFinding.Nothing(
            result.Reason switch { UnreplayableReason.SharedBatch => AuditReason.ContentDependent, UnreplayableReason.NotProbed => AuditReason.NotProbed, _ => AuditReason.BackendRefused },
            // A backend's own words can name files and source lines.
            result.Reason == UnreplayableReason.BackendFailed ? "the backend could not execute the row" : result.Detail),
    };

    private ReplayResult Replay(Receipt receipt, NamedTensor[] inputs, KnownAnswer? answer, StatementContext context, string path)
    {
        var rows = Open(path, context);
        var gate = new Lock();
        var isRunning = true;
        // Nobody waits for an audit; a call that never ends would be the last one.
        using var timer = clock.CreateTimer(_ => Stop(), null, limit, Timeout.InfiniteTimeSpan);
        try
        {
            return rows.Replay(receipt, inputs, answer);
        }
        finally
        {
            lock (gate)
            {
                isRunning = false;
                rows.ClearTermination();
            }
        }

        void Stop()
        {
            lock (gate)
                if (isRunning) rows.Terminate();
        }
    }

    private RowReplayer Open(string path, StatementContext context)
    {
        var options = SessionOptionsText.ExecutionOf(context.Runtime);
        if (_open is { } open && open.Path == path && open.Identity == context.ModelIdentity && open.Options == options) return open.Rows;
        Close();
        using var artifact = _reader.Read(new ModelOptions { Name = context.ModelName, Path = path });
        var model = backend.Open(context.ModelName, artifact, options);
        try
        {
            var rows = new RowReplayer(artifact.Identity, model);
            _open = (path, artifact.Identity, options, model, rows);
            return rows;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}
