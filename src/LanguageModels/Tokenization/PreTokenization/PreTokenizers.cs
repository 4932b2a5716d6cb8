using System.Text;
using OpenGradient.Engine.LanguageModels.Tokenization.Patterns;

namespace OpenGradient.Engine.LanguageModels.Tokenization.PreTokenization;

internal sealed class PreTokenizerSequence(IReadOnlyList<IPreTokenizer> steps) : IPreTokenizer
{
    public void Split(IReadOnlyList<Piece> pieces, List<Piece> result)
    {
        var now = pieces;
        foreach (var step in steps)
        {
            var next = new List<Piece>(now.Count);
            step.Split(now, next);
            now = next;
        }

        result.AddRange(now);
    }
}

/// <summary>Divides by a pattern.</summary>
internal sealed class PatternSplit(TextPattern? pattern, SplitBehavior behavior, bool invert) : IPreTokenizer
{
    public void Split(IReadOnlyList<Piece> pieces, List<Piece> result)
    {
        foreach (var piece in pieces) Splitting.Apply(piece, pattern?.Matches(piece.Text.Span) ?? [], behavior, invert, result);
    }
}

/// <summary>Divides where code points belong to a set; each alone or a run together, kept or dropped.</summary>
internal sealed class SetSplit(CodePointSet set, SplitBehavior behavior) : IPreTokenizer
{
    public void Split(IReadOnlyList<Piece> pieces, List<Piece> result)
    {
        foreach (var piece in pieces)
        {
            var text = piece.Text.Span;
            var matches = new List<TextMatch>();
            for (var at = 0; at < text.Length;)
            {
                if (set.Contains(CodePoints.At(text, at, out var width))) matches.Add(new TextMatch(at, at + width));
                at += width;
            }

            Splitting.Apply(piece, matches, behavior, invert: false, result);
        }
    }
}

/// <summary>Divides as GPT-2 did where a pattern is given, and writes each byte as the letter that stands for it.</summary>
internal sealed class ByteLevel(bool prefixSpace, TextPattern? pattern) : IPreTokenizer
{
    public const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    public void Split(IReadOnlyList<Piece> pieces, List<Piece> result)
    {
        var divided = new List<Piece>(pieces.Count);
        foreach (var piece in pieces)
        {
            var whole = prefixSpace && !piece.Text.Span.StartsWith(" ") ? piece with { Text = string.Concat(" ", piece.Text.Span).AsMemory() } : piece;
            if (pattern is null) divided.Add(whole);
            else Splitting.Apply(whole, pattern.Matches(whole.Text.Span), SplitBehavior.Isolated, invert: false, divided);
        }

        // One buffer for all: a letter for each byte.
        var size = divided.Sum(piece => (long)Encoding.UTF8.GetByteCount(piece.Text.Span));
        var letters = new char[checked((int)size)];
        Span<byte> bytes = stackalloc byte[256];
        var at = 0;
        foreach (var piece in divided)
        {
            var start = at;
            for (var rest = piece.Text.Span; rest.Length > 0;)
            {
                var part = rest.Length <= 80 ? rest : rest[..(char.IsHighSurrogate(rest[79]) ? 79 : 80)];
                var count = Encoding.UTF8.GetBytes(part, bytes);
                foreach (var each in bytes[..count]) letters[at++] = ByteAlphabet.LetterOf(each);
                rest = rest[part.Length..];
            }

            result.Add(new Piece(letters.AsMemory(start, at - start), piece.AtStart));
        }
    }
}

internal enum PrependScheme { Always, First, Never }

/// <summary>SentencePiece's spaces: each becomes a visible letter, which may also be put before the text, and begins a piece.</summary>
internal sealed class Metaspace(string replacement, PrependScheme prepend, bool split) : IPreTokenizer
{
    public static PrependScheme ReadScheme(FilePart part)
    {
        var scheme = part.Text("prepend_scheme") switch
        {
            null => part.Flag("add_prefix_space", true) ? PrependScheme.Always : PrependScheme.Never,
            "always" => PrependScheme.Always,
            "first" => PrependScheme.First,
            "never" => PrependScheme.Never,
            var other => throw part.Refuse($"the prepend_scheme '{other}' is not understood"),
        };
        if (part.Has("prepend_scheme") && part.Has("add_prefix_space") && part.Flag("add_prefix_space", true) != (scheme != PrependScheme.Never))
            throw part.Refuse("add_prefix_space contradicts prepend_scheme");
        return scheme;
    }

    public void Split(IReadOnlyList<Piece> pieces, List<Piece> result)
    {
        foreach (var piece in pieces)
        {
            var text = piece.Text.ToString().Replace(" ", replacement);
            var wanted = prepend == PrependScheme.Always || (prepend == PrependScheme.First && piece.AtStart);
            if (wanted && !text.StartsWith(replacement, StringComparison.Ordinal)) text = replacement + text;
            var whole = new Piece(text.AsMemory(), piece.AtStart);
            if (!split)
            {
                result.Add(whole);
                continue;
            }

            var matches = new List<TextMatch>();
            for (var at = text.IndexOf(replacement, StringComparison.Ordinal); at >= 0; at = text.IndexOf(replacement, at + replacement.Length, StringComparison.Ordinal))
                matches.Add(new TextMatch(at, at + replacement.Length));
            Splitting.Apply(whole, matches, SplitBehavior.MergedWithNext, invert: false, result);
        }
    }
}
