using System.Buffers.Binary;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Log;

namespace OpenGradient.Engine.EndToEnd.Tests.Running;

/// <summary>What an auditor does with nothing but the chain and the published log: no gap, no duplicate, nothing rewritten.</summary>
internal static class Audit
{
    /// <summary>Checks the whole history; every receipt's statement must be under the newest anchor exactly once.</summary>
    public static async Task Run(Installation installation, IReadOnlyCollection<Receipt> receipts)
    {
        var seen = await new EvmChain(installation.Chain.Rpc, installation.TrustPolicy.Contract)
            .AnchorsAsync(installation.LogId, 0, CancellationToken.None);
        Assert.True(seen.IsOk, seen.Detail);
        Assert.NotEmpty(seen.Value);
        // After the chain: what is anchored has been published, and a host that still works anchors more between the two looks.
        var leaves = Leaves(Path.Combine(installation.Root, "log"));

        var size = 0UL;
        foreach (var anchored in seen.Value)
        {
            var claim = anchored.Anchored(installation.LogId)!.Value;
            Assert.InRange(claim.Size, size + 1, (ulong)leaves.Length);
            Assert.Equal(MerkleTree.Root(leaves.AsSpan(0, (int)claim.Size)), claim.Root);
            size = claim.Size;
        }

        var counts = leaves.Take((int)size).GroupBy(leaf => leaf).ToDictionary(group => group.Key, group => group.Count());
        Assert.All(counts, entry => Assert.Equal(1, entry.Value));
        Assert.All(receipts, receipt => Assert.Equal(1, counts.GetValueOrDefault(receipt.StatementId)));
    }

    // C2SP tlog-tiles: bundles of 256 entries, the last one partial; an entry is u16 length and bytes.
    private static Hash256[] Leaves(string log)
    {
        var leaves = new List<Hash256>();
        for (ulong index = 0; ; index++)
        {
            var width = TilePath.Width;
            while (width > 0 && !File.Exists(Path.Combine(log, TilePath.Entries(index, width)))) width--;
            if (width == 0) return [.. leaves];
            var bundle = File.ReadAllBytes(Path.Combine(log, TilePath.Entries(index, width))).AsSpan();
            for (var entry = 0; entry < width; entry++)
            {
                var length = BinaryPrimitives.ReadUInt16BigEndian(bundle);
                leaves.Add(MerkleTree.LeafHash(bundle.Slice(2, length)));
                bundle = bundle[(2 + length)..];
            }

            Assert.True(bundle.IsEmpty, $"bytes behind the last entry of bundle {index}");
            if (width < TilePath.Width) return [.. leaves];
        }
    }
}
