using System.Buffers;
using OpenGradient.Engine.LanguageModels.Tokenization.Patterns;

namespace OpenGradient.Engine.LanguageModels.Tokenization.Models;

/// <summary>Byte-pair encoding over the letters of a piece, of which byte-level vocabularies have one per byte.</summary>
internal sealed class BytePairModel : ITokenModel
{
    // Gemma's file has half a million.
    private const int MaxMerges = 4 << 20;

    // Ids of single letters below this are in an array.
    private const int Direct = 0x800;

    private readonly Vocabulary _vocabulary;
    private readonly MergeTable _merges;
    private readonly int[] _direct = new int[Direct];
    private readonly Dictionary<int, int> _others = [];
    private readonly string? _prefix;
    private readonly string? _suffix;
    private readonly int[]? _bytes;
    private readonly int _unknown;
    private readonly bool _fuseUnknown;
    private readonly bool _wholeFirst;

    private BytePairModel(FilePart part, Vocabulary vocabulary, int unknown)
    {
        _vocabulary = vocabulary;
        _prefix = part.Text("continuing_subword_prefix") is { Length: > 0 } prefix ? prefix : null;
        _suffix = part.Text("end_of_word_suffix") is { Length: > 0 } suffix ? suffix : null;
        _bytes = part.Flag("byte_fallback", false) ? vocabulary.ByteTokens() : null;
        _unknown = unknown;
        _fuseUnknown = part.Flag("fuse_unk", false);
        _wholeFirst = part.Flag("ignore_merges", false);
        _merges = ReadMerges(part, vocabulary, _prefix?.Length ?? 0);
        Array.Fill(_direct, -1);
        for (var id = 0; id < vocabulary.Size; id++)
            if (vocabulary.TextOf(id) is { Length: 1 or 2 } text && CodePoints.Of(text) is [var point])
            {
                if (point < Direct) _direct[point] = id;
                else _others[point] = id;
            }
    }

    /// <param name="idOf">Ids of all tokens, those added to the vocabulary too: the unknown token may be one of them.</param>
    public static BytePairModel Read(FilePart part, Vocabulary vocabulary, Func<string, int?> idOf)
    {
        part.Only("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges");
        if (part.Has("dropout") && part.Number("dropout", -1) != 0) throw part.Refuse("'dropout' would make tokens random");
        var unknown = -1;
        if (part.Text("unk_token") is { } name) unknown = idOf(name) ?? throw part.Refuse($"the unknown token '{Vocabulary.Shown(name)}' is not in the vocabulary");
        return new BytePairModel(part, vocabulary, unknown);
    }

    public void Encode(ReadOnlySpan<char> piece, List<int> tokens)
    {
        if (piece.Length == 0) return;
        if (_wholeFirst && _vocabulary.BySpan.TryGetValue(piece, out var whole))
        {
            tokens.Add(whole);
            return;
        }

        // Where letters become bytes there are up to three for each code unit.
        var most = _bytes is null ? piece.Length : piece.Length * 3;
        int[]? rented = null;
        var row = most <= 128 ? stackalloc int[128] : rented = ArrayPool<int>.Shared.Rent(most);
        var count = Letters(piece, row);
        BytePairMerging.Merge(row[..count], _merges, tokens);
        if (rented is not null) ArrayPool<int>.Shared.Return(rented);
    }

    private int Letters(ReadOnlySpan<char> piece, Span<int> row)
    {
        var count = 0;
        // Unknown letters in a row are one token where they are fused: the last of the row that is still open.
        var open = false;
        for (var at = 0; at < piece.Length;)
        {
            var point = CodePoints.At(piece, at, out var width);
            var id = IdOf(point, piece.Slice(at, width), at == 0, at + width == piece.Length);
            at += width;
            if (id >= 0)
            {
                row[count++] = id;
                open = false;
            }
            else if (_bytes is not null && FallBack(point, row[count..]) is var bytes and > 0)
            {
                count += bytes;
                open = false;
            }
            else if (_unknown >= 0)
            {
                if (!open || !_fuseUnknown) row[count++] = _unknown;
                open = true;
            }
        }

        return count;
    }

    private int IdOf(int point, ReadOnlySpan<char> letter, bool first, bool last)
    {
        var prefix = first ? null : _prefix;
        var suffix = last ? _suffix : null;
        if (prefix is null && suffix is null) return point < Direct ? _direct[point] : _others.GetValueOrDefault(point, -1);
        return _vocabulary.IdOf(string.Concat(prefix, letter, suffix)) ?? -1;
    }

    private int FallBack(int point, Span<int> row)
    {
        Span<byte> bytes = stackalloc byte[4];
        var size = new System.Text.Rune(point).EncodeToUtf8(bytes);
        for (var index = 0; index < size; index++)
        {
            if (_bytes![bytes[index]] < 0) return 0;
            row[index] = _bytes[bytes[index]];
        }

        return size;
    }

    private static MergeTable ReadMerges(FilePart part, Vocabulary vocabulary, int prefixLength)
    {
        var merges = part.Array("merges");
        var count = merges.GetArrayLength();
        if (count > MaxMerges) throw part.Refuse($"'merges' has {count} entries, more than {MaxMerges}");
        var table = new MergeTable(count);
        var rank = 0;
        foreach (var merge in merges.EnumerateArray())
        {
            var (left, right) = Pair(merge, rank, part);
            var first = Known(left, rank, part, vocabulary);
            var second = Known(right, rank, part, vocabulary);
            if (right.Length < prefixLength) throw part.Refuse($"merge {rank}: '{Vocabulary.Shown(right)}' is shorter than the prefix of continuing subwords");
            table.Add(first, second, rank, Known(string.Concat(left, right.AsSpan(prefixLength)), rank, part, vocabulary));
            rank++;
        }

        return table;
    }

    private static int Known(string token, int rank, FilePart part, Vocabulary vocabulary) =>
        vocabulary.IdOf(token) ?? throw part.Refuse($"merge {rank} names '{Vocabulary.Shown(token)}', which is not in the vocabulary");

    // Either ["a", "b"] or, in older files, "a b".
    private static (string Left, string Right) Pair(System.Text.Json.JsonElement merge, int rank, FilePart part)
    {
        if (merge.ValueKind == System.Text.Json.JsonValueKind.String && part.TextOf(merge).Split(' ') is [var left, var right]) return (left, right);
        if (merge.ValueKind == System.Text.Json.JsonValueKind.Array && merge.GetArrayLength() == 2
            && merge[0].ValueKind == System.Text.Json.JsonValueKind.String && merge[1].ValueKind == System.Text.Json.JsonValueKind.String)
            return (part.TextOf(merge[0]), part.TextOf(merge[1]));
        throw part.Refuse($"merge {rank} is not two tokens");
    }
}
