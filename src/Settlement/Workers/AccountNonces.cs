using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Workers;

/// <summary>
/// One account's nonces over many logs. Each log's sender believes that the account is its own; what it is shown as the
/// account's next nonce is the first one that no other log's transaction stands on. So several logs anchor in one block,
/// and none waits for another's. Used by one worker's loop, one log after the other.
/// </summary>
internal sealed class AccountNonces
{
    private readonly Dictionary<Hash256, SettlementState> _logs = [];

    public void Add(Hash256 logId, SettlementState state) => _logs[logId] = state;

    public void Remove(Hash256 logId) => _logs.Remove(logId);

    /// <summary>The next nonce as this log should see it.</summary>
    /// <param name="logId">Whose transaction is next.</param>
    /// <param name="next">The account's transactions in the latest block's state.</param>
    public ulong Next(Hash256 logId, ulong next)
    {
        var held = new HashSet<ulong>();
        foreach (var (other, state) in _logs)
            if (other != logId) held.UnionWith(Held(state, next, pendingOnly: false));
        // Its own bytes fit while everything in front of them is somebody's; behind a gap they would wait for ever.
        foreach (var own in Held(_logs[logId], next, pendingOnly: true).Order())
            if (Enumerable.Range(0, (int)Math.Min(own - next, int.MaxValue)).All(i => held.Contains(next + (ulong)i))) return own;
        while (held.Contains(next)) next++;
        return next;
    }

    // Of operations that are in a block too: a node that lags shows their nonces as unused.
    private static IEnumerable<ulong> Held(SettlementState state, ulong from, bool pendingOnly) => state.Locked(view => view.Live
        .Where(operation => !pendingOnly || operation.IsPending)
        .SelectMany(operation => operation.Attempts)
        .Select(attempt => attempt.Nonce)
        .Where(nonce => nonce >= from)
        .ToArray());
}
