using System.Runtime.InteropServices;

namespace OpenGradient.Engine.LanguageModels.OnnxRuntime;

/// <summary>
/// Tries at load what will be relied on: that the cache is written where it is read, up to the last position of the context, and
/// that sequences of unequal lengths decode side by side to the bits that each gets alone.
/// </summary>
internal static class RaggedProbe
{
    // Unequal and odd, so that vector kernels meet their tails; more rows than kernels unroll over.
    private static readonly int[] Lengths = [7, 1, 12, 3, 17, 2, 9, 5, 14];

    // A first and a later step: their kernels see other lengths.
    private const int Steps = 2;

    /// <exception cref="OpenGradient.Engine.OnnxRuntime.OnnxRuntimeException">The model does not append to the buffer that it reads.</exception>
    public static void AppendToTheEnd(GenAiDecoder decoder, int context)
    {
        decoder.Append(0, [0], 0, decoder.HasHiddenStates);
        decoder.Append(0, [0], context - 1, withHidden: false);
    }

    /// <summary>Whether every row came out alike. Uses slots from 0 on, and leaves nothing in them that counts.</summary>
    public static bool Holds(GenAiDecoder decoder, int vocabulary, int context, int mostRows)
    {
        var rows = Math.Min(Math.Min(mostRows, decoder.Cache.Slots), Lengths.Length);
        var starts = new int[rows];
        for (var slot = 0; slot < rows; slot++)
        {
            starts[slot] = Math.Min(Lengths[slot], context - Steps);
            decoder.Append(slot, Tokens(vocabulary, slot, starts[slot]), 0, withHidden: false);
        }

        for (var step = 0; step < Steps; step++)
        {
            var tokens = Tokens(vocabulary, rows + step, rows);
            for (var count = 2; count <= rows; count++)
                if (!Holds(decoder, vocabulary, tokens.AsSpan(0, count), starts.AsSpan(0, count))) return false;
            foreach (ref var start in starts.AsSpan()) start++;
        }

        return true;
    }

    /// <summary>Decoding the same position again writes the same keys and values, so the order of trying is free.</summary>
    private static bool Holds(GenAiDecoder decoder, int vocabulary, ReadOnlySpan<int> tokens, ReadOnlySpan<int> starts)
    {
        var together = new float[tokens.Length * vocabulary];
        var alone = new float[vocabulary];
        decoder.Decode(0, tokens, starts);
        for (var row = 0; row < tokens.Length; row++) decoder.CopyLogits(row, together.AsSpan(row * vocabulary, vocabulary));
        for (var row = 0; row < tokens.Length; row++)
        {
            decoder.Decode(row, tokens.Slice(row, 1), starts.Slice(row, 1));
            decoder.CopyLogits(0, alone);
            if (!MemoryMarshal.AsBytes(alone.AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(together.AsSpan(row * vocabulary, vocabulary)))) return false;
        }

        return true;
    }

    // Numbers that jump about the vocabulary; the same at every load.
    private static int[] Tokens(int vocabulary, int seed, int count) =>
        [.. Enumerable.Range(0, count).Select(i => (int)((((uint)(seed + 1) * 2654435761u) ^ ((uint)i * 40503u * 2654435761u)) % (uint)vocabulary))];
}
