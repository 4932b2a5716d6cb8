using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement;
using OpenGradient.Engine.Settlement.State;
using OpenGradient.Engine.Verification.Audit;

namespace OpenGradient.Engine.Hosting.Auditing;

/// <summary>What an audit is composed of. Nothing of it is disposed by the audit.</summary>
public sealed record AuditParts
{
    public required SettlementService Settlement { get; init; }

    public required IRowRetention Retention { get; init; }

    /// <summary>Opens the model a second time.</summary>
    public required IModelBackend Backend { get; init; }

    /// <summary>The file of a served model by its identity and its size in bytes; null when none of that identity is served.</summary>
    public required Func<Hash256, (string Path, long Bytes)?> Model { get; init; }

    /// <summary>Where fraud bundles go.</summary>
    public required FraudFolder Fraud { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}

/// <summary>How an audit goes about it.</summary>
public sealed record AuditOptions
{
    /// <summary>One row in so many is drawn; at least 1.</summary>
    public required uint OneIn { get; init; }

    /// <summary>Whether a disputed row stops the key that signed it.</summary>
    public bool HaltOnDispute { get; init; } = true;

    /// <summary>Longest execution of one row.</summary>
    public TimeSpan ExecutionTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Larger models are not opened a second time.</summary>
    public long MaxModelBytes { get; init; } = 2L << 30;

    /// <summary>Time between two looks. 500 ms: half of the fastest usual block time.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(500);
}

/// <summary>
/// The loop behind settlement. Read it top to bottom: a final anchor gets its draw from a later block, the drawn rows are
/// executed again, and what that showed is recorded. Everything it knows is durable state, so killing it anywhere repeats a
/// draw that picks the same rows, or an execution.
/// </summary>
public sealed class AuditService : IDisposable
{
    // Statements looked at under one lock, rows concluded with one sync.
    private const int StatementsAtOnce = 4096;
    private const int RowsAtOnce = 64;

    // Anchors in one pass, so that drawn rows are executed while a backlog is drawn.
    private const int AnchorsAtOnce = 16;

    // A model that no row was due for during so long is closed again.
    private static readonly TimeSpan ModelStaysOpen = TimeSpan.FromMinutes(1);

    private readonly AuditParts _parts;
    private readonly AuditOptions _options;
    private readonly SettlementAudits _audits;
    private readonly RowAuditor _auditor;
    private readonly AuditInstruments _instruments;
    private long _lastExecution;
    private volatile string? _trouble;

    public AuditService(AuditOptions options, AuditParts parts)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(parts);
        ArgumentOutOfRangeException.ThrowIfZero(options.OneIn);
        (_options, _parts, _audits) = (options, parts, parts.Settlement.Audits);
        _auditor = new RowAuditor(parts.Backend, options.ExecutionTimeout, parts.Clock);
        _lastExecution = parts.Clock.GetTimestamp();
        _instruments = new AuditInstruments(this, _audits);
    }

    /// <summary>Something that the operator should know: a dispute, or a pass that did not come to its end. In words, from the audit's thread; a handler must not throw.</summary>
    public event Action<string>? Warned;

    public uint OneIn => _options.OneIn;

    public IRowRetention Retention => _parts.Retention;

    public FraudFolder Fraud => _parts.Fraud;

    /// <summary>Why the last pass did not come to its end; null when it did. It is tried again.</summary>
    public string? Trouble => _trouble;

    /// <summary>Audits until cancelled.</summary>
    /// <exception cref="Settlement.Settling.SettlementStoppedException">The outbox has failed; only a restart helps.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                await TryTickAsync(cancellationToken).ConfigureAwait(false);
                await Task.Delay(_options.PollInterval, _parts.Clock, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    private async Task TryTickAsync(CancellationToken cancellationToken)
    {
        try
        {
            await TickAsync(cancellationToken).ConfigureAwait(false);
            _trouble = null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException)
        {
            // A full disk, say: what was not recorded is done again.
            if (_trouble != error.Message) Warned?.Invoke($"the pass did not come to its end, and is tried again: {error.Message}");
            _trouble = error.Message;
        }
    }

    /// <summary>One pass: what <see cref="RunAsync"/> does, without waiting; never beside it.</summary>
    public async Task TickAsync(CancellationToken cancellationToken)
    {
        await _audits.BeginAsync(cancellationToken).ConfigureAwait(false);
        _parts.Retention.Sweep();
        await DrawAsync(cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(cancellationToken).ConfigureAwait(false);
        if (_parts.Clock.GetElapsedTime(_lastExecution) > ModelStaysOpen) _auditor.Close();
    }

    public void Dispose()
    {
        _instruments.Dispose();
        _auditor.Dispose();
    }

    private async Task DrawAsync(CancellationToken cancellationToken)
    {
        foreach (var anchor in _audits.Undrawn(AnchorsAtOnce))
        {
            // Later anchors have later beacons: if this one's is not final, theirs are not.
            if (await _audits.BeaconOfAsync(anchor, cancellationToken).ConfigureAwait(false) is not { } beacon) return;
            var draw = AuditDraw.Of(_parts.Settlement.LogId, anchor.Size, anchor.Root, anchor.ChainId, beacon, _options.OneIn);
            var due = new List<(AuditableStatement Statement, uint Row)>();
            var drawn = new List<AuditableStatement>();
            for (var leaf = anchor.FirstLeaf; leaf < anchor.Size;)
            {
                var statements = _audits.StatementsOf(anchor, leaf, StatementsAtOnce);
                foreach (var statement in statements) AddDue(draw, statement, due);
                drawn.AddRange(statements);
                leaf += (ulong)statements.Count;
            }

            await _audits.RecordDrawAsync(anchor, beacon, _options.OneIn, due, cancellationToken).ConfigureAwait(false);
            LetGo(drawn, due);
        }
    }

    private static void AddDue(AuditDraw draw, AuditableStatement statement, List<(AuditableStatement, uint)> due)
    {
        for (var row = 0u; row < statement.Receipts; row++)
            if (draw.IsDue(statement.Leaf, row)) due.Add((statement, row));
    }

    // The draw is on disk: nobody will ask for the other rows any more.
    private void LetGo(List<AuditableStatement> drawn, List<(AuditableStatement Statement, uint Row)> due)
    {
        var needed = due.ToLookup(row => row.Statement.Id, row => row.Row);
        foreach (var statement in drawn) _parts.Retention.KeepOnly(statement.Id, needed[statement.Id].ToHashSet());
    }

    private async Task ExecuteAsync(CancellationToken cancellationToken)
    {
        while (_audits.Due(RowsAtOnce) is { Count: > 0 } due)
        {
            foreach (var ofOneAnchor in due.GroupBy(row => row.Operation))
            {
                var concluded = new List<AuditedRow>();
                foreach (var row in ofOneAnchor)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var finding = await ExecuteAsync(row, cancellationToken).ConfigureAwait(false);
                    concluded.Add(row with { Outcome = finding.Outcome, Reason = finding.Reason, Detail = finding.Detail });
                }

                await _audits.ConcludeAsync(concluded, cancellationToken).ConfigureAwait(false);
                foreach (var statement in concluded.GroupBy(row => row.Statement)) Release(statement.Key, statement);
            }
        }
    }

    // What is due of this statement and waits for another record stays.
    private void Release(Hash256 statement, IEnumerable<AuditedRow> concluded)
    {
        var over = concluded.Select(row => row.Row).ToHashSet();
        var status = _parts.Settlement.Find(statement);
        _parts.Retention.KeepOnly(statement, status?.Audits.Where(row => row.Outcome == AuditOutcome.Sampled && !over.Contains(row.Row)).Select(row => row.Row).ToHashSet() ?? []);
    }

    private async Task<AuditFinding> ExecuteAsync(AuditedRow row, CancellationToken cancellationToken)
    {
        if (_parts.Settlement.ReadStatement(row.Statement) is not { } bytes) return AuditFinding.Nothing(AuditReason.NotRetained, "the statement is not here");
        var statement = Statement.Decode(bytes);
        if (RowAuditor.Unpromised(statement.Context.Determinism) is { } unpromised) return unpromised;
        if (_parts.Retention.Find(row.Statement, row.Row) is not { } retained)
        {
            return _parts.Retention.IsErased(row.Statement, row.Row)
                ? AuditFinding.Nothing(AuditReason.Erased, "")
                : AuditFinding.Nothing(AuditReason.NotRetained, "");
        }

        var model = _parts.Model(statement.Context.ModelIdentity);
        if (model is { } large && large.Bytes > _options.MaxModelBytes) return AuditFinding.Nothing(AuditReason.ModelMissing, $"the model has {large.Bytes} bytes, more than audits open");
        _lastExecution = _parts.Clock.GetTimestamp();
        var finding = _auditor.Audit(retained, model?.Path);
        if (finding.Outcome == AuditOutcome.Disputed) await DisputeAsync(row, statement, retained, finding, cancellationToken).ConfigureAwait(false);
        return finding;
    }

    // The file first, then the key, then the record: a crash in between finds the dispute again.
    private async Task DisputeAsync(AuditedRow row, Statement statement, RetainedRow retained, AuditFinding finding, CancellationToken cancellationToken)
    {
        if (_parts.Settlement.GetProof(row.Statement) is { } proof)
        {
            var now = (ulong)(_parts.Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
            _parts.Fraud.Write(FraudCheck.BundleOf(retained, finding, proof.BundleOf(retained.Receipt), row.Beacon, row.OneIn, now), row.Leaf, row.Row);
        }

        Warned?.Invoke($"row {row.Row} of leaf {row.Leaf} is disputed ({finding.Detail}); see {FraudFolder.NameOf(row.Leaf, row.Row)} in the folder 'fraud'");
        if (_options.HaltOnDispute)
            await _audits.HaltAsync(statement.Epoch, row.Statement, $"row {row.Row} of leaf {row.Leaf} was executed again and gave other bits", cancellationToken).ConfigureAwait(false);
    }
}
