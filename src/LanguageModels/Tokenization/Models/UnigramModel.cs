using System.Buffers;
using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Tokenization.Patterns;

namespace OpenGradient.Engine.LanguageModels.Tokenization.Models;

/// <summary>SentencePiece's unigram model: of all ways to divide a piece, the one whose tokens' scores sum to the most.</summary>
internal sealed class UnigramModel : ITokenModel
{
    // How far below the least likely token a letter without one lies; SentencePiece's constant.
    private const double UnknownPenalty = 10;

    private readonly TokenTrie _trie = new();
    private readonly double[] _scores;
    private readonly int _unknown;
    private readonly double _unknownScore;
    private readonly int[]? _bytes;

    private UnigramModel(double[] scores, int unknown, int[]? bytes)
    {
        _scores = scores;
        _unknown = unknown;
        _unknownScore = scores.Min() - UnknownPenalty;
        _bytes = bytes;
    }

    /// <summary>Reads the model and fills the vocabulary, which has its tokens in the order of their ids.</summary>
    public static UnigramModel Read(FilePart part, Vocabulary vocabulary)
    {
        part.Only("unk_id", "vocab", "byte_fallback");
        var entries = part.Array("vocab");
        var count = entries.GetArrayLength();
        if (count is 0 or > Vocabulary.MaxTokens) throw part.Refuse($"'vocab' has {count} entries, where 1 to {Vocabulary.MaxTokens} are understood");
        var scores = new double[count];
        var id = 0;
        foreach (var entry in entries.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.Array || entry.GetArrayLength() != 2 || entry[0].ValueKind != JsonValueKind.String
                || entry[1].ValueKind != JsonValueKind.Number || !entry[1].TryGetDouble(out scores[id]) || !double.IsFinite(scores[id]))
                throw part.Refuse($"vocab[{id}] is not a token and its score");
            vocabulary.Add(part.TextOf(entry[0]), id++, part);
        }

        var unknown = part.Number("unk_id", -1);
        if (unknown >= count) throw part.Refuse($"unk_id {unknown} is not in the vocabulary");
        var bytes = part.Flag("byte_fallback", false) ? vocabulary.ByteTokens() : null;
        if (unknown < 0 && (bytes is null || bytes.Contains(-1))) throw part.Refuse("there is neither an unk_id nor a token for every byte");
        var model = new UnigramModel(scores, unknown, bytes);
        for (id = 0; id < count; id++)
            if (vocabulary.TextOf(id) is { Length: > 0 } text) model._trie.Add(text, id, part);
        return model;
    }

    public void Encode(ReadOnlySpan<char> piece, List<int> tokens)
    {
        if (piece.Length == 0) return;
        var best = ArrayPool<double>.Shared.Rent(piece.Length + 1);
        var paths = ArrayPool<int>.Shared.Rent((piece.Length + 1) * 2);
        try
        {
            Span<int> ids = paths.AsSpan(0, piece.Length + 1), starts = paths.AsSpan(piece.Length + 1, piece.Length + 1);
            FindBest(piece, best, ids, starts);
            Follow(piece, ids, starts, tokens);
        }
        finally
        {
            ArrayPool<double>.Shared.Return(best);
            ArrayPool<int>.Shared.Return(paths);
        }
    }

    // For every place the best way to get there. Of equals the one that starts earlier stays.
    private void FindBest(ReadOnlySpan<char> piece, Span<double> best, Span<int> ids, Span<int> starts)
    {
        starts.Fill(-1);
        best[0] = 0;
        for (var at = 0; at < piece.Length;)
        {
            CodePoints.At(piece, at, out var width);
            var single = false;
            var node = 0;
            for (var end = at; end < piece.Length && (node = _trie.Step(node, piece[end])) >= 0; end++)
            {
                if (_trie.TokenAt(node) is not (>= 0 and var token)) continue;
                Offer(at, end + 1, best[at] + _scores[token], token, best, ids, starts);
                single |= end + 1 - at == width;
            }

            if (!single) Offer(at, at + width, best[at] + _unknownScore, -1, best, ids, starts);
            at += width;
        }
    }

    private static void Offer(int start, int end, double score, int token, Span<double> best, Span<int> ids, Span<int> starts)
    {
        if (starts[end] >= 0 && score <= best[end]) return;
        (best[end], ids[end], starts[end]) = (score, token, start);
    }

    private void Follow(ReadOnlySpan<char> piece, Span<int> ids, Span<int> starts, List<int> tokens)
    {
        var first = tokens.Count;
        for (var end = piece.Length; end > 0; end = starts[end])
        {
            // Bytes come in reverse, like all else until the row is turned.
            if (ids[end] >= 0) tokens.Add(ids[end]);
            else Unknown(piece, ref end, ids, starts, tokens);
        }

        tokens.Reverse(first, tokens.Count - first);
    }

    // Unknown letters in a row are one token, or each the tokens of its bytes where the vocabulary has all of them.
    private void Unknown(ReadOnlySpan<char> piece, ref int end, Span<int> ids, Span<int> starts, List<int> tokens)
    {
        var last = end;
        while (starts[end] > 0 && ids[starts[end]] < 0) end = starts[end];
        var begin = tokens.Count;
        if (_bytes is not null && AddBytes(piece[starts[end]..last], tokens))
        {
            tokens.Reverse(begin, tokens.Count - begin);
            return;
        }

        tokens.RemoveRange(begin, tokens.Count - begin);
        tokens.Add(_unknown);
    }

    private bool AddBytes(ReadOnlySpan<char> letters, List<int> tokens)
    {
        for (var at = 0; at < letters.Length;)
        {
            if (!Vocabulary.AddBytes(CodePoints.At(letters, at, out var width), _bytes!, tokens)) return false;
            at += width;
        }

        return true;
    }
}
