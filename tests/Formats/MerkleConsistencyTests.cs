using OpenGradient.Engine.Formats.Tests.Support;

namespace OpenGradient.Engine.Formats.Tests;

public sealed class MerkleConsistencyTests
{
    private const int Largest = 40;
    private static readonly byte[][] Entries = NaiveMerkle.Entries(Largest);
    private static readonly Hash256[] Roots = [.. Enumerable.Range(0, Largest + 1).Select(size => new Hash256(NaiveMerkle.Root(Entries[..size])))];

    [Fact]
    public void VerifyConsistency_EveryPairTo40_AcceptsTheRecursiveDefinitionsProof()
    {
        foreach (var (m, n, proof) in Proofs()) Assert.True(Verify(m, n, proof), $"{m} of {n}");
    }

    [Fact]
    public void VerifyConsistency_ShorterLongerOrTamperedProof_IsRefused()
    {
        foreach (var (m, n, proof) in Proofs())
        {
            Assert.False(Verify(m, n, [.. proof, Roots[1]]), $"{m} of {n}, one hash more");
            if (proof.Length == 0) continue;
            Assert.False(Verify(m, n, proof[1..]), $"{m} of {n}, without the first hash");
            Assert.False(Verify(m, n, proof[..^1]), $"{m} of {n}, without the last hash");
            for (var at = 0; at < proof.Length; at++)
            {
                Hash256[] tampered = [.. proof];
                tampered[at] = Hash256.Sha256(tampered[at].Bytes);
                Assert.False(Verify(m, n, tampered), $"{m} of {n}, hash {at} replaced");
            }
        }
    }

    [Fact]
    public void VerifyConsistency_OtherRoots_IsRefused()
    {
        foreach (var (m, n, proof) in Proofs())
        {
            var wrong = Hash256.Sha256([9]);
            Assert.False(MerkleTree.VerifyConsistency((ulong)m, wrong, (ulong)n, Roots[n], proof), $"{m} of {n}, old root");
            if (m > 0) Assert.False(MerkleTree.VerifyConsistency((ulong)m, Roots[m], (ulong)n, wrong, proof), $"{m} of {n}, new root");
        }
    }

    [Fact]
    public void VerifyConsistency_RewrittenHistory_IsRefused()
    {
        byte[][] rewritten = [.. Entries];
        rewritten[0] = [0xff];
        for (var n = 2; n <= 16; n++)
            for (var m = 1; m < n; m++)
            {
                var proof = NaiveMerkle.Hashes(NaiveMerkle.Consistency(m, rewritten[..n]));
                Assert.False(MerkleTree.VerifyConsistency((ulong)m, Roots[m], (ulong)n, new Hash256(NaiveMerkle.Root(rewritten[..n])), proof));
            }
    }

    [Fact]
    public void VerifyConsistency_SmallerNewTree_IsRefused() =>
        Assert.False(MerkleTree.VerifyConsistency(5, Roots[5], 4, Roots[4], []));

    [Fact]
    public void VerifyConsistency_SameProofForOtherSizes_IsRefused()
    {
        foreach (var (m, n, proof) in Proofs().Where(each => each.M > 0 && each.N <= 16))
            for (var other = 1; other <= 16; other++)
                if (other != m && other <= n) Assert.False(Verify(other, n, proof) && proof.Length > 0, $"the proof of {m} of {n} passed for {other}");
    }

    [Theory]
    [InlineData(ulong.MaxValue, ulong.MaxValue - 1), InlineData(1UL, ulong.MaxValue), InlineData(ulong.MaxValue - 1, ulong.MaxValue)]
    public void VerifyConsistency_LargestSizesAndRandomProof_IsRefused(ulong older, ulong newer)
    {
        for (var length = 0; length <= 70; length++)
            Assert.False(MerkleTree.VerifyConsistency(older, Roots[1], newer, Roots[2], new Hash256[length]));
    }

    private static bool Verify(int m, int n, Hash256[] proof) => MerkleTree.VerifyConsistency((ulong)m, Roots[m], (ulong)n, Roots[n], proof);

    private static IEnumerable<(int M, int N, Hash256[] Proof)> Proofs()
    {
        for (var n = 0; n <= Largest; n++)
        {
            yield return (0, n, []);
            for (var m = 1; m <= n; m++) yield return (m, n, NaiveMerkle.Hashes(NaiveMerkle.Consistency(m, Entries[..n])));
        }
    }
}
