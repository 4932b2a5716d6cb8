using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Models;

namespace OpenGradient.Engine.Verification.Replay;

/// <summary>One receipt to execute again, and the input it was given for.</summary>
public sealed record ReplayItem(Receipt Receipt, IReadOnlyList<NamedTensor> Inputs, KnownAnswer? Answer = null);

/// <summary>What replaying many receipts gave.</summary>
/// <param name="Replayed">Receipts taken, whatever came of them.</param>
/// <param name="Reproduced">Of those, with equal bits.</param>
/// <param name="Mismatches">All the others: nothing but equal bits counts as reproduced.</param>
/// <param name="FirstMismatch">The first that was not reproduced; null when all were.</param>
public sealed record ReplayTally(long Replayed, long Reproduced, long Mismatches, ReplayResult? FirstMismatch);

/// <summary>
/// Replays receipts against model files: each file is identified once, and opened once per execution that a statement
/// asks for. One row per backend call, as each receipt's class demands. Used by one thread at a time.
/// </summary>
/// <param name="backend">Borrowed.</param>
public sealed class ReceiptReplayer(IModelBackend backend) : IDisposable
{
    private readonly ArtifactReader _reader = new(backend);
    private readonly Dictionary<string, Hash256> _identities = [];
    private readonly Dictionary<(string Path, ExecutionOptions Options), (IBackendModel Model, RowReplayer Rows)> _open = [];

    /// <summary>The identity of a model file and of the files that it names.</summary>
    /// <exception cref="ModelLoadException">A file cannot be read, or is no model and so has no identity.</exception>
    public Hash256 IdentityOf(string modelPath)
    {
        if (_identities.TryGetValue(modelPath, out var known)) return known;
        using var artifact = Read(modelPath, modelPath);
        return _identities[modelPath] = artifact.Identity;
    }

    /// <summary>Executes one receipt's row again. A file of another identity is never opened.</summary>
    /// <param name="tolerance">For an answer whose bits cannot be had here; null for <see cref="ReplayTolerance.Default"/>.</param>
    /// <exception cref="ModelLoadException">The file cannot be read.</exception>
    public ReplayResult Replay(ReplayItem item, string modelPath, double? tolerance = null)
    {
        ArgumentNullException.ThrowIfNull(item);
        if (ReceiptContent.Read(item.Receipt, out var failures) is not { } content) return ReplayVerdict.Invalid(failures);
        var verdict = new ReplayVerdict(content, []);
        var context = content.Statement.Context;
        try
        {
            if (IdentityOf(modelPath) is var identity && identity != context.ModelIdentity) return verdict.WrongModel(identity);
        }
        catch (ModelLoadException none) when (none.Reason is ModelLoadReason.Empty or ModelLoadReason.Corrupt or ModelLoadReason.Unsupported)
        {
            return verdict.NoModel(none.Message);
        }

        try
        {
            return Rows(modelPath, context).Replay(item.Receipt, item.Inputs, item.Answer, tolerance);
        }
        catch (ModelLoadException refused) when (refused.Reason != ModelLoadReason.Unreadable)
        {
            return verdict.Refused(UnreplayableReason.BackendFailed, refused.Message);
        }
    }

    /// <summary>Executes the rows of many receipts of one model again.</summary>
    /// <exception cref="ModelLoadException">The file cannot be read.</exception>
    public ReplayTally ReplayAll(IEnumerable<ReplayItem> items, string modelPath, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        long replayed = 0, reproduced = 0;
        ReplayResult? first = null;
        foreach (var item in items)
        {
            cancellation.ThrowIfCancellationRequested();
            var result = Replay(item, modelPath);
            replayed++;
            if (result.Outcome == ReplayOutcome.Reproduced) reproduced++;
            else first ??= result;
        }

        return new ReplayTally(replayed, reproduced, replayed - reproduced, first);
    }

    public void Dispose()
    {
        foreach (var (model, rows) in _open.Values)
        {
            rows.Dispose();
            model.Dispose();
        }

        _open.Clear();
    }

    private RowReplayer Rows(string path, StatementContext context)
    {
        var options = SessionOptionsText.ExecutionOf(context.Runtime);
        if (_open.TryGetValue((path, options), out var open)) return open.Rows;
        // Read again: what is opened is what was hashed, whatever happened to the file since it was identified.
        using var artifact = Read(context.ModelName, path);
        var model = backend.Open(context.ModelName, artifact, options);
        try
        {
            var rows = new RowReplayer(artifact.Identity, model);
            _open[(path, options)] = (model, rows);
            return rows;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private ModelArtifact Read(string name, string path) => _reader.Read(new ModelOptions { Name = name, Path = path });
}
