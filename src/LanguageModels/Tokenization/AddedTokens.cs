using System.Buffers;
using OpenGradient.Engine.LanguageModels.Tokenization.Models;
using OpenGradient.Engine.LanguageModels.Tokenization.Normalization;
using OpenGradient.Engine.LanguageModels.Tokenization.Patterns;

namespace OpenGradient.Engine.LanguageModels.Tokenization;

/// <summary>A token that is found in the text before the model sees it.</summary>
internal sealed record AddedToken(string Content, int Id, bool SingleWord, bool TakesSpaceBefore, bool TakesSpaceAfter, bool Normalized, bool Special);

/// <summary>A stretch of text; a token where <see cref="Token"/> is not negative, else text for the model.</summary>
internal readonly record struct TextSection(int Start, int End, int Token);

/// <summary>Finds added tokens: of those that begin at one place the longest, from the left.</summary>
internal sealed class AddedTokens
{
    // Published files have up to some thousand, most of them reserved.
    private const int MaxTokens = 1 << 16;

    private readonly Dictionary<string, AddedToken> _byContent = new(StringComparer.Ordinal);
    private readonly Dictionary<int, AddedToken> _byId = [];
    private readonly Finder _raw;
    private readonly Finder _normalized;

    private AddedTokens(IReadOnlyList<AddedToken> tokens, INormalizer? normalizer, FilePart file)
    {
        foreach (var token in tokens)
        {
            _byContent.Add(token.Content, token);
            _byId.Add(token.Id, token);
        }

        _raw = new Finder(tokens.Where(token => !token.Normalized).Select(token => (token.Content, token)), file);
        _normalized = new Finder(tokens.Where(token => token.Normalized).Select(token => (normalizer?.Normalize(token.Content) ?? token.Content, token)), file);
    }

    /// <summary>One more than the highest id, or 0.</summary>
    public int Size => _byId.Count == 0 ? 0 : _byId.Keys.Max() + 1;

    public static AddedTokens Read(FilePart file, Vocabulary vocabulary, INormalizer? normalizer)
    {
        var tokens = new List<AddedToken>();
        if (!file.Has("added_tokens")) return new AddedTokens(tokens, normalizer, file);
        var (contents, ids) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<int>());
        foreach (var part in file.Parts("added_tokens", MaxTokens))
        {
            var token = Read(part);
            if (token.Content.Length == 0) throw part.Refuse("an added token without a text");
            if (!contents.Add(token.Content) || !ids.Add(token.Id)) throw part.Refuse($"'{Vocabulary.Shown(token.Content)}' or its id {token.Id} is added twice");
            if (vocabulary.TextOf(token.Id) is { } other && other != token.Content)
                throw part.Refuse($"the id {token.Id} is '{Vocabulary.Shown(other)}' in the vocabulary and '{Vocabulary.Shown(token.Content)}' among the added tokens");
            if (vocabulary.IdOf(token.Content) is { } id && id != token.Id)
                throw part.Refuse($"'{Vocabulary.Shown(token.Content)}' has the id {id} in the vocabulary and {token.Id} among the added tokens");
            tokens.Add(token);
        }

        return new AddedTokens(tokens, normalizer, file);
    }

    public AddedToken? Find(string content) => _byContent.GetValueOrDefault(content);

    public AddedToken? Find(int id) => _byId.GetValueOrDefault(id);

    /// <summary>Divides a text as the caller wrote it.</summary>
    public List<TextSection> SplitRaw(string text) => _raw.Split(text);

    /// <summary>Divides a text that was normalized.</summary>
    public List<TextSection> SplitNormalized(string text) => _normalized.Split(text);

    private static AddedToken Read(FilePart part)
    {
        part.Only("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special");
        var (id, content) = (part.Number("id", -1), part.RequiredText("content"));
        if (id is < 0 or >= Vocabulary.MaxTokens) throw part.Refuse($"the id {id} is not from 0 to below {Vocabulary.MaxTokens}");
        if (content.Length > Vocabulary.MaxTokenLength) throw part.Refuse($"an added token has {content.Length} letters, more than {Vocabulary.MaxTokenLength}");
        var special = part.Flag("special", false);
        return new AddedToken(
            content, id, part.Flag("single_word", false), part.Flag("lstrip", false), part.Flag("rstrip", false), part.Flag("normalized", !special), special);
    }

    private sealed class Finder
    {
        private readonly TokenTrie _trie = new();
        private readonly List<AddedToken> _tokens = [];
        private readonly SearchValues<char> _firsts;

        public Finder(IEnumerable<(string Content, AddedToken Token)> tokens, FilePart file)
        {
            var firsts = new HashSet<char>();
            foreach (var (content, token) in tokens)
            {
                // A normalizer may leave nothing of a token; it is then found nowhere.
                if (content.Length == 0) continue;
                firsts.Add(content[0]);
                _trie.Add(content, _tokens.Count, file);
                _tokens.Add(token);
            }

            _firsts = SearchValues.Create([.. firsts]);
        }

        public List<TextSection> Split(string text)
        {
            var sections = new List<TextSection>();
            var done = 0;
            for (var at = 0; at < text.Length;)
            {
                var skip = _tokens.Count == 0 ? -1 : text.AsSpan(at).IndexOfAny(_firsts);
                if (skip < 0) break;
                at += skip;
                if (!_trie.TryLongest(text.AsSpan(at), out var index, out var length))
                {
                    at++;
                    continue;
                }

                var (token, start, end) = (_tokens[index], at, at + length);
                at = end;
                if (start < done || (token.SingleWord && (EndsWord(text, start) || BeginsWord(text, end)))) continue;
                if (token.TakesSpaceBefore)
                    while (start > done && char.IsWhiteSpace(text[start - 1])) start--;
                if (token.TakesSpaceAfter)
                    while (end < text.Length && char.IsWhiteSpace(text[end])) end++;
                if (start > done) sections.Add(new TextSection(done, start, -1));
                sections.Add(new TextSection(start, end, token.Id));
                done = end;
            }

            if (done < text.Length) sections.Add(new TextSection(done, text.Length, -1));
            return sections;
        }

        private static bool EndsWord(string text, int at) => at > 0 && UnicodeSets.Word.Contains(CodePoints.At(text, at - CodePoints.WidthBefore(text, at), out _));

        private static bool BeginsWord(string text, int at) => at < text.Length && UnicodeSets.Word.Contains(CodePoints.At(text, at, out _));
    }
}
