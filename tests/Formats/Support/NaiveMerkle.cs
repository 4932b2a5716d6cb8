using System.Security.Cryptography;

namespace OpenGradient.Engine.Formats.Tests.Support;

/// <summary>RFC 6962 §2.1 written down as its recursive definitions, slow and independent of the code under test.</summary>
internal static class NaiveMerkle
{
    public static byte[] Root(IReadOnlyList<byte[]> entries) => entries.Count switch
    {
        0 => SHA256.HashData([]),
        1 => SHA256.HashData([0, .. entries[0]]),
        var n => Node(Root([.. entries.Take(Split(n))]), Root([.. entries.Skip(Split(n))])),
    };

    /// <summary>PATH(m, D[n]).</summary>
    public static List<byte[]> Path(int m, IReadOnlyList<byte[]> entries)
    {
        var n = entries.Count;
        if (n <= 1) return [];
        var k = Split(n);
        var (left, right) = (entries.Take(k).ToArray(), entries.Skip(k).ToArray());
        return m < k ? [.. Path(m, left), Root(right)] : [.. Path(m - k, right), Root(left)];
    }

    /// <summary>PROOF(m, D[n]).</summary>
    public static List<byte[]> Consistency(int m, IReadOnlyList<byte[]> entries) => Subproof(m, entries, true);

    public static byte[][] Entries(int count) => [.. Enumerable.Range(0, count).Select(i => new byte[] { (byte)i, (byte)(i >> 8), 7 })];

    public static Hash256[] LeafHashes(IEnumerable<byte[]> entries) => [.. entries.Select(entry => MerkleTree.LeafHash(entry))];

    public static Hash256[] Hashes(IEnumerable<byte[]> hashes) => [.. hashes.Select(hash => new Hash256(hash))];

    private static List<byte[]> Subproof(int m, IReadOnlyList<byte[]> entries, bool complete)
    {
        var n = entries.Count;
        if (m == n) return complete ? [] : [Root(entries)];
        var k = Split(n);
        var (left, right) = (entries.Take(k).ToArray(), entries.Skip(k).ToArray());
        return m <= k ? [.. Subproof(m, left, complete), Root(right)] : [.. Subproof(m - k, right, false), Root(left)];
    }

    private static byte[] Node(byte[] left, byte[] right) => SHA256.HashData([1, .. left, .. right]);

    private static int Split(int n)
    {
        var k = 1;
        while (k * 2 < n) k *= 2;
        return k;
    }
}
