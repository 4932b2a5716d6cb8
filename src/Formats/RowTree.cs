namespace OpenGradient.Engine.Formats;

/// <summary>
/// The layout of a batch's tree as the shim writes it: levels one after the other, leaves first. A level of odd length
/// passes its last hash up unchanged, which gives RFC 6962's tree; the passed hash is stored again in the level above.
/// </summary>
public static class RowTree
{
    /// <summary>Hashes in the tree over <paramref name="leaves"/> leaves.</summary>
    public static int NodeCount(int leaves)
    {
        var total = leaves;
        while (leaves > 1) total += leaves = (leaves + 1) / 2;
        return total;
    }

    /// <summary>Siblings from leaf to root, 32 bytes each.</summary>
    public static Hash256[] Path(ReadOnlySpan<byte> tree, int leaves, int index)
    {
        var path = new List<Hash256>(16);
        for (var level = 0; leaves > 1; index /= 2, level += leaves, leaves = (leaves + 1) / 2)
        {
            var sibling = index ^ 1;
            if (sibling < leaves) path.Add(new Hash256(tree.Slice((level + sibling) * Hash256.Size, Hash256.Size)));
        }

        return [.. path];
    }
}
