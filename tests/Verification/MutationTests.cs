using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification.Tests;

/// <summary>Damage of every shape, from a fixed seed: a verifier answers with reasons and never with an exception.</summary>
public sealed class MutationTests(Installation installation) : IClassFixture<Installation>
{
    // The long run is for release candidates; the short one finds the usual slips.
    private static readonly int Rounds = Environment.GetEnvironmentVariable("OG_LONG") == "1" ? 200_000 : 2_000;

    [Fact]
    public void Verify_MutatedBundles_AreRefusedWithoutException()
    {
        var verifier = new BundleVerifier(Installation.Signatures, Installation.EvidenceVerifier);
        var whole = installation.Bundle(installation.Second).Encode();
        var anchorAt = whole.Length - (32 + 8 + 32 + 4); // what only a node can check
        var random = new Random(20_26);
        for (var i = 0; i < Rounds; i++)
        {
            var bytes = Mutate(whole, random);
            if (bytes.AsSpan().StartsWith(whole.AsSpan(0, anchorAt)) && bytes.Length == whole.Length) continue;
            Assert.True(verifier.Verify(bytes, installation.Trust).Count > 0, $"round {i} was accepted");
        }
    }

    [Fact]
    public void Verify_MutatedStatements_AreRefusedWithoutException()
    {
        var registry = new EpochRegistry(installation.LogId, Installation.ChainId, Installation.Contract, Installation.EvidenceVerifier, installation.Trust.Evidence);
        registry.Add(installation.First.Epoch.Evidence.Span);
        var verifier = new StatementVerifier(registry, Installation.Signatures);
        var whole = installation.Statements[0];
        var random = new Random(20_27);
        for (var i = 0; i < Rounds; i++)
        {
            var bytes = Mutate(whole, random);
            if (bytes.AsSpan().SequenceEqual(whole)) continue;
            Assert.True(verifier.Verify(bytes).Count > 0, $"round {i} was accepted");
            registry.Add(Mutate(installation.First.Epoch.Evidence.ToArray(), random));
        }

        Assert.Empty(verifier.Verify(whole));
    }

    private static byte[] Mutate(byte[] whole, Random random)
    {
        var bytes = whole.ToList();
        for (var edits = random.Next(1, 4); edits > 0; edits--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)(random.Next(2) * 255); break;
                case 2: bytes.RemoveRange(at, Math.Min(random.Next(1, 40), bytes.Count - at)); break;
                case 3: bytes.InsertRange(at, whole.AsSpan(random.Next(whole.Length - 40), random.Next(1, 40)).ToArray()); break;
                default: bytes.RemoveRange(at, bytes.Count - at); break;
            }

            if (bytes.Count == 0) break;
        }

        return [.. bytes];
    }
}
