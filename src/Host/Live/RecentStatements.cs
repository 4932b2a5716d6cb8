using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement;

namespace OpenGradient.Engine.Host.Live;

/// <summary>A statement that the live page shows by one of its leaves.</summary>
public sealed record RecentStatement(Hash256 Id, Hash256 Leaf, string Model);

/// <summary>
/// What the public views know: the last statements, and which statement a recent leaf belongs to. Filled from settlement's
/// stream of stages by one task; read by anyone. Bounded: an older receipt is shown by its holder, not by the host.
/// </summary>
public sealed class RecentStatements(SettlementService settlement)
{
    // Three screens of rows, so that none leaves before it is final.
    private const int Shown = 60;

    // Some ten megabytes; hours of a quiet host, seconds of a busy one.
    private const int FindableLeaves = 100_000;

    private readonly Lock _gate = new();
    private readonly LinkedList<RecentStatement> _recent = new();
    private readonly HashSet<Hash256> _known = [];
    private readonly Dictionary<Hash256, Hash256> _statementOfLeaf = [];
    private readonly Queue<Hash256> _leaves = new();

    /// <summary>Newest first.</summary>
    public IReadOnlyList<RecentStatement> Newest
    {
        get { lock (_gate) return [.. _recent]; }
    }

    public Hash256? StatementOf(in Hash256 leaf)
    {
        lock (_gate) return _statementOfLeaf.TryGetValue(leaf, out var statement) ? statement : null;
    }

    public async Task Run(CancellationToken cancellation)
    {
        using var subscription = settlement.Subscribe(8192);
        if (subscription is null) return;
        await foreach (var change in subscription.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
            if (change.Stage is ReceiptStage.Durable or ReceiptStage.Quarantined) Note(change.StatementId);
    }

    // A statement that cannot be read now is missing from the page, not a reason to stop following.
    private byte[]? Read(Hash256 id)
    {
        try
        {
            return settlement.ReadStatement(id);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private void Note(Hash256 id)
    {
        lock (_gate)
            if (_known.Contains(id)) return;
        var leaves = settlement.LeavesOf(id);
        if (leaves.Count == 0 || Read(id) is not { } bytes) return;
        var model = Statement.Decode(bytes).Context.ModelName;
        lock (_gate)
        {
            if (!_known.Add(id)) return;
            _recent.AddFirst(new RecentStatement(id, leaves[0].Leaf, model));
            if (_recent.Count > Shown)
            {
                _known.Remove(_recent.Last!.Value.Id);
                _recent.RemoveLast();
            }

            foreach (var (_, leaf) in leaves)
            {
                if (_statementOfLeaf.TryAdd(leaf, id)) _leaves.Enqueue(leaf);
                if (_leaves.Count > FindableLeaves) _statementOfLeaf.Remove(_leaves.Dequeue());
            }
        }
    }
}
