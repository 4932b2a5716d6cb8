using OpenGradient.Engine.Attestation.Verification.Tdx;
using Xunit.Abstractions;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Tdx;

using OpenGradient.Engine.Attestation.Verification;

/// <summary>Spoiled inputs: nothing but a result comes back, and it never accepts.</summary>
public sealed class TdxFuzzTests(ITestOutputHelper output)
{
    [Fact]
    public void Verify_SpoiledQuotes_AreNeverAccepted()
    {
        var mock = new MockTdx();
        var (quote, context, random) = (mock.MakeQuote(), mock.Context(), new Random(20261));
        var count = Vectors.Inputs;
        for (var round = 0; round < count; round++)
        {
            var spoiled = Spoil(quote, random);
            Assert.True(TdxVerifier.Verify(spoiled, context).Status != AttestationStatus.Accepted || IsSame(spoiled, quote), $"round {round}");
        }

        output.WriteLine($"{count} spoiled quotes");
    }

    // Signed again after spoiling, so that the readers of JSON see it.
    [Fact]
    public void Verify_SpoiledAndSignedCollateral_NeverThrows()
    {
        var mock = new MockTdx();
        var (quote, random) = (mock.MakeQuote(), new Random(20262));
        var count = Vectors.Inputs / 20;
        var refused = 0;
        for (var round = 0; round < count; round++)
        {
            mock.TcbInfo = json => round % 2 == 0 ? Spoil(json, random) : json;
            mock.QeIdentity = json => round % 2 == 1 ? Spoil(json, random) : json;
            if (mock.Verify(quote).Status == AttestationStatus.Refused) refused++;
        }

        Assert.True(refused > count / 2, $"{refused} of {count} refused");
        output.WriteLine($"{count} spoiled collaterals, {refused} refused; the others were spoiled where nothing is read");
    }

    [Fact]
    public void Verify_SpoiledBundles_NeverThrows()
    {
        var mock = new MockTdx();
        var (quote, bundle, random) = (mock.MakeQuote(), System.Text.Encoding.UTF8.GetBytes(mock.MakeBundle()), new Random(20263));
        var context = mock.Context();
        var count = Vectors.Inputs / 20;
        var accepted = 0;
        for (var round = 0; round < count; round++)
        {
            var spoiled = new Dictionary<string, ReadOnlyMemory<byte>> { ["tdx-collateral.json"] = Spoil(bundle, random) };
            if (TdxVerifier.Verify(quote, context with { Collateral = spoiled }).Status == AttestationStatus.Accepted) accepted++;
        }

        // White space between members and the case of hexadecimal letters are nobody's.
        Assert.True(accepted < count / 4, $"{accepted} of {count} accepted");
        output.WriteLine($"{count} spoiled bundles, {accepted} accepted that say the same");
    }

    private static byte[] Spoil(byte[] bytes, Random random)
    {
        List<byte> spoiled = [.. bytes];
        for (var change = random.Next(1, 4); change > 0; change--)
        {
            // The front, with its types and lengths, more often than the rest.
            var at = random.Next(random.Next(2) == 0 ? Math.Min(spoiled.Count, 1400) : spoiled.Count);
            switch (random.Next(6))
            {
                case 0: spoiled[at] = (byte)random.Next(256); break;
                case 1: spoiled[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: spoiled.RemoveRange(at, Math.Min(random.Next(1, 40), spoiled.Count - at)); break;
                case 3: spoiled.InsertRange(at, Enumerable.Repeat((byte)random.Next(256), random.Next(1, 40))); break;
                case 4: spoiled.RemoveRange(at, spoiled.Count - at); break;
                default: spoiled[at] = (byte)(random.Next(2) * 255); break;
            }

            if (spoiled.Count == 0) break;
        }

        return [.. spoiled];
    }

    private static string Spoil(string json, Random random)
    {
        string[] pieces = ["{", "}", "[", "]", "\"", ",", ":", "null", "1e99", "-1", "\\ud800", "\"\\u0000\"", "99999999999999999999", " "];
        var at = random.Next(json.Length);
        var length = random.Next(Math.Min(12, json.Length - at));
        return json[..at] + (random.Next(3) == 0 ? "" : pieces[random.Next(pieces.Length)]) + json[(at + length)..];
    }

    // Zeros behind the quote change nothing.
    private static bool IsSame(byte[] spoiled, byte[] quote) => spoiled.AsSpan().TrimEnd((byte)0).SequenceEqual(quote.AsSpan().TrimEnd((byte)0));
}
