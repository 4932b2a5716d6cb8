namespace OpenGradient.Engine.LanguageModels.Sampling;

/// <summary>
/// The random numbers behind sampled tokens (docs/formats.md, "Random draws"): Philox4x32-10 of Salmon, Moraes, Dror and Shaw,
/// "Parallel random numbers: as easy as 1, 2, 3" (2011). A draw is a function of seed and index alone, so the draw of any
/// token can be had without those before it.
/// </summary>
public static class RandomDraws
{
    private const int Rounds = 10;

    /// <summary>64 bits, every value as likely as every other.</summary>
    /// <param name="index">Of the token within the answer, from 0.</param>
    public static ulong Draw(ulong seed, ulong index)
    {
        Span<uint> words = [(uint)index, (uint)(index >> 32), 0, 0];
        Philox(words, (uint)seed, (uint)(seed >> 32));
        return words[0] | ((ulong)words[1] << 32);
    }

    /// <summary>Replaces a counter of four words by the four random words that belong to it under a key.</summary>
    public static void Philox(Span<uint> counter, uint key0, uint key1)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(counter.Length, 4);
        for (var round = 0; round < Rounds; round++)
        {
            var first = 0xD2511F53ul * counter[0];
            var third = 0xCD9E8D57ul * counter[2];
            (counter[0], counter[1], counter[2], counter[3]) =
                ((uint)(third >> 32) ^ counter[1] ^ key0, (uint)third, (uint)(first >> 32) ^ counter[3] ^ key1, (uint)first);
            key0 = unchecked(key0 + 0x9E3779B9);
            key1 = unchecked(key1 + 0xBB67AE85);
        }
    }
}
