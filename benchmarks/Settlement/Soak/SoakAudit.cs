using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Log;

namespace OpenGradient.Engine.Benchmarks.Settlement.Soak;

/// <summary>An accepted anchor as the chain's event tells it.</summary>
/// <param name="PreviousHead">The head that it built on; null from a contract whose events do not say, and which compares it itself.</param>
internal readonly record struct AnchorEvent(ulong Size, Hash256 Root, Hash256? PreviousHead);

/// <summary>What is left at the end, as the auditor reads it: from the log's files, the chain, the host, and the callers' own books.</summary>
internal sealed record SoakEvidence
{
    /// <summary>Of the published log, by index.</summary>
    public required Hash256[] Leaves { get; init; }

    /// <summary>Size and root of the published checkpoint.</summary>
    public required (ulong Size, Hash256 Root) Published { get; init; }

    /// <summary>Every anchor of the log on the chain, oldest first.</summary>
    public required IReadOnlyList<AnchorEvent> Anchors { get; init; }

    public required Hash256 ContractHead { get; init; }

    public required IReadOnlyDictionary<ReceiptId, Acknowledged> Acknowledged { get; init; }

    /// <summary>What the host says of each acknowledged receipt; one it does not know is missing.</summary>
    public required IReadOnlyDictionary<ReceiptId, (string Stage, Hash256 Statement)> Known { get; init; }

    public required long Quarantined { get; init; }
}

/// <summary>Every acknowledged receipt final, one leaf for each statement, the contract's history gapless and ending where the log ends.</summary>
internal static class SoakAudit
{
    private const int MostOfAKind = 5;

    public static List<string> Violations(SoakEvidence evidence)
    {
        var found = new List<string>();
        Receipts(evidence, found);
        Anchors(evidence, found);
        if (evidence.Quarantined != 0) found.Add($"{evidence.Quarantined} receipts are quarantined");
        return found;
    }

    /// <summary>Spoils the evidence in each way that the audit is for; the names of those it did not notice.</summary>
    public static List<string> Blindness(SoakEvidence good)
    {
        var (id, told) = good.Acknowledged.First();
        var known = good.Known[id];
        var other = good.Acknowledged.Keys.First(key => good.Known[key].Statement != known.Statement);
        var spoiled = new (string What, SoakEvidence Evidence)[]
        {
            ("a receipt unknown", good with { Known = Without(good.Known, id) }),
            ("a receipt not final", good with { Known = With(good.Known, id, ("anchored", known.Statement)) }),
            ("a receipt of another statement", good with { Known = With(good.Known, id, good.Known[other]), Acknowledged = With(good.Acknowledged, id, told with { Statement = known.Statement }) }),
            ("a leaf twice", good with { Leaves = [.. good.Leaves[..^1], good.Leaves[0]] }),
            ("a leaf missing", good with { Leaves = good.Leaves[..^1] }),
            ("the last anchor missing", good with { Anchors = [.. good.Anchors.SkipLast(1)] }),
            ("an anchor twice", good with { Anchors = [.. good.Anchors, good.Anchors[^1]] }),
            ("another head", good with { ContractHead = LogHead.Empty }),
            ("another checkpoint", good with { Published = (good.Published.Size, Hash256.Zero) }),
            ("something quarantined", good with { Quarantined = 1 }),
        };
        return [.. spoiled.Where(each => Violations(each.Evidence).Count == 0).Select(each => each.What)];
    }

    private static void Receipts(SoakEvidence evidence, List<string> found)
    {
        var counts = new Dictionary<Hash256, int>();
        foreach (var leaf in evidence.Leaves) counts[leaf] = counts.GetValueOrDefault(leaf) + 1;
        Say(found, "statements have more than one leaf", counts.Where(pair => pair.Value > 1).Select(pair => pair.Key.ToString()));
        Say(found, "acknowledged receipts are unknown", evidence.Acknowledged.Keys.Where(id => !evidence.Known.ContainsKey(id)).Select(id => id.ToString()));
        Say(found, "acknowledged receipts are not final", evidence.Known.Where(pair => pair.Value.Stage != "final").Select(pair => $"{pair.Key} {pair.Value.Stage}"));
        Say(found, "acknowledged receipts belong to another statement than their bytes say", evidence.Acknowledged
            .Where(pair => pair.Value.Statement is { } told && evidence.Known.TryGetValue(pair.Key, out var known) && known.Statement != told).Select(pair => pair.Key.ToString()));
        Say(found, "acknowledged receipts have no leaf", evidence.Known.Where(pair => counts.GetValueOrDefault(pair.Value.Statement) != 1).Select(pair => pair.Key.ToString()));
    }

    private static void Anchors(SoakEvidence evidence, List<string> found)
    {
        var tree = new TileTree(NoTiles.Instance);
        var (head, size) = (LogHead.Empty, 0UL);
        for (var i = 0; i < evidence.Anchors.Count; i++)
        {
            var anchor = evidence.Anchors[i];
            if (anchor.PreviousHead is { } previous && previous != head) found.Add($"anchor {i} builds on {previous}, not on {head}");
            if (anchor.Size <= size || anchor.Size > (ulong)evidence.Leaves.Length)
            {
                found.Add($"anchor {i} is for {anchor.Size} leaves; the one before is for {size} and the log has {evidence.Leaves.Length}");
                return;
            }

            while (tree.Size < anchor.Size) tree.Append(evidence.Leaves[tree.Size]);
            if (tree.Root != anchor.Root) found.Add($"anchor {i} of size {anchor.Size} has another root than the log's leaves give");
            (head, size) = (LogHead.Pack(anchor.Root, anchor.Size), anchor.Size);
        }

        if (evidence.ContractHead != head) found.Add($"the contract's head is {evidence.ContractHead}, its events end at {head}");
        if (evidence.ContractHead != LogHead.Pack(evidence.Published.Root, evidence.Published.Size)) found.Add($"the contract's head is {evidence.ContractHead}, the log's checkpoint is for {evidence.Published.Size} leaves with root {evidence.Published.Root}");
        if (size != (ulong)evidence.Leaves.Length) found.Add($"the last anchor is for {size} leaves, the log has {evidence.Leaves.Length}");
    }

    private static void Say(List<string> found, string what, IEnumerable<string> which)
    {
        var all = which.ToArray();
        if (all.Length > 0) found.Add($"{all.Length} {what}: {string.Join(", ", all.Take(MostOfAKind))}{(all.Length > MostOfAKind ? ", ..." : "")}");
    }

    private static Dictionary<TKey, TValue> Without<TKey, TValue>(IReadOnlyDictionary<TKey, TValue> all, TKey key) where TKey : notnull => all.Where(pair => !pair.Key.Equals(key)).ToDictionary();

    private static Dictionary<TKey, TValue> With<TKey, TValue>(IReadOnlyDictionary<TKey, TValue> all, TKey key, TValue value) where TKey : notnull => new(all) { [key] = value };

    /// <summary>The audit's tree keeps every tile in memory, so none is ever asked for.</summary>
    private sealed class NoTiles : IFullTileReader
    {
        public static readonly NoTiles Instance = new();

        public Hash256[] ReadFullTile(int level, ulong index) => throw new InvalidOperationException($"tile {level}/{index} was not kept");
    }
}
