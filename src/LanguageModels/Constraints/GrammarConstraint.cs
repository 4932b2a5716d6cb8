using System.Numerics;
using OpenGradient.Engine.LanguageModels.Constraints.Grammars;

namespace OpenGradient.Engine.LanguageModels.Constraints;

/// <summary>A compiled grammar over a vocabulary. Safe for concurrent calls.</summary>
internal sealed class GrammarConstraintSource(Grammar grammar, TokenVocabulary vocabulary, ReadOnlyMemory<byte> description) : ITokenConstraintSource
{
    public ReadOnlyMemory<byte> Description { get; } = description;

    public Grammar Grammar { get; } = grammar;

    public TokenVocabulary Vocabulary { get; } = vocabulary;

    public TokenMasks Masks { get; } = new(grammar, vocabulary);

    public ITokenConstraint Start() => new GrammarConstraint(this);
}

/// <summary>An answer under a grammar: the positions that its text so far leads to.</summary>
internal sealed class GrammarConstraint : ITokenConstraint
{
    private readonly GrammarConstraintSource _source;
    private PositionList _positions = new();
    private PositionList _next = new();

    public GrammarConstraint(GrammarConstraintSource source)
    {
        _source = source;
        _positions.Add(Grammar.Start);
    }

    public bool MayEnd
    {
        get
        {
            for (var i = 0; i < _positions.Count; i++)
                if (_source.Grammar.MayEnd(_positions[i])) return true;
            return false;
        }
    }

    public bool IsComplete
    {
        get
        {
            for (var i = 0; i < _positions.Count; i++)
                if (!_positions[i].IsEnd) return false;
            return true;
        }
    }

    public bool Allow(Span<ulong> allowed)
    {
        var words = (_source.Vocabulary.Count + 63) / 64;
        if (allowed.Length < words) throw new ArgumentException($"{words} words are needed for {_source.Vocabulary.Count} tokens", nameof(allowed));
        allowed.Clear();
        for (var i = 0; i < _positions.Count; i++) _source.Masks.Add(_positions[i], _positions.Count, allowed);
        foreach (var word in allowed[..words])
            if (word != 0) return true;
        return MayEnd;
    }

    public void Advance(int token)
    {
        foreach (var value in _source.Vocabulary.BytesOf(token))
        {
            _next.Clear();
            for (var i = 0; i < _positions.Count; i++) _source.Grammar.Step(_positions[i], value, _next);
            if (_next.Count == 0) throw new InvalidOperationException($"token {token} was not allowed");
            (_positions, _next) = (_next, _positions);
        }
    }
}

/// <summary>
/// Which tokens may follow a position: a walk over the vocabulary's tree beside the grammar, kept for positions that come again.
/// A mask is a function of the position and of how many there are, and never of what was kept.
/// </summary>
internal sealed class TokenMasks(Grammar grammar, TokenVocabulary vocabulary)
{
    // Masks of one schema, in bytes: hundreds of a large vocabulary, since most allow few tokens and are kept as lists.
    private const long MaxKeptBytes = 4 << 20;

    // With more positions than this each gets a part of a walk only, so that no schema makes a step slow.
    private const int ManyPositions = 8;

    private readonly Lock _lock = new();
    private readonly Dictionary<(Position Position, bool IsNarrow), TokenMask> _kept = [];
    private readonly ulong[] _words = new ulong[(vocabulary.Count + 63) / 64];
    private readonly PositionList _walk = new();
    private readonly int[] _starts = new int[TokenTrie.MaxTokenBytes + 2];
    private long _keptBytes;

    /// <summary>Sets the bits of the tokens that may follow.</summary>
    /// <param name="positions">How many positions the text has.</param>
    public void Add(in Position position, int positions, Span<ulong> allowed)
    {
        if (position.IsEnd) return;
        var reach = vocabulary.All.Longest;
        var key = (grammar.Clamp(position, reach), positions > ManyPositions);
        // One walk at a time: it uses the buffers above, and whoever waits most likely wants the same mask.
        lock (_lock)
        {
            if (!_kept.TryGetValue(key, out var mask))
            {
                mask = Walk(key.Item1, key.Item2, reach);
                if (_keptBytes + mask.Size > MaxKeptBytes)
                {
                    _kept.Clear();
                    _keptBytes = 0;
                }

                _kept[key] = mask;
                _keptBytes += mask.Size;
            }

            mask.AddTo(allowed);
        }
    }

    private TokenMask Walk(in Position position, bool isNarrow, int reach)
    {
        // Inside a free string most tokens need no walk: they are text, and lead back to where they began.
        var room = grammar.FreeRoom(position);
        var trie = room < 0 ? vocabulary.All : vocabulary.Others;
        if (room < reach) Array.Clear(_words);
        else vocabulary.PlainMask.CopyTo(_words);
        if (room >= 0 && room < reach) AddPlain(room);

        // Enough for every node and some ambiguity; beyond it only first bytes are followed, so that text can still go on.
        var budget = isNarrow ? trie.Count / 4 : (2L * trie.Count) + 4096;
        _walk.Clear();
        _walk.Add(position);
        _starts[0] = 0;
        _starts[1] = 1;
        for (var node = 0; node < trie.Count;)
        {
            var depth = trie.DepthAt(node);
            if (budget <= 0 && depth > 0)
            {
                node = trie.EndOf(node);
                continue;
            }

            var (from, to) = (_starts[depth], _starts[depth + 1]);
            _walk.Truncate(to);
            var value = trie.ByteAt(node);
            for (var i = from; i < to; i++) grammar.Step(_walk[i], value, _walk);
            budget -= to - from;
            if (_walk.Count == to)
            {
                node = trie.EndOf(node);
                continue;
            }

            _starts[depth + 2] = _walk.Count;
            foreach (var token in trie.TokensAt(node)) _words[token / 64] |= 1UL << (token % 64);
            node++;
        }

        return TokenMask.Of(_words);
    }

    private void AddPlain(int room)
    {
        var lengths = vocabulary.PlainLengths;
        for (var token = 0; token < lengths.Length; token++)
            if (lengths[token] > 0 && lengths[token] <= room) _words[token / 64] |= 1UL << (token % 64);
    }
}

/// <summary>A set of tokens: a list where they are few, bits where they are many. Immutable.</summary>
internal sealed class TokenMask
{
    private readonly int[]? _tokens;
    private readonly ulong[]? _words;

    private TokenMask(int[]? tokens, ulong[]? words) => (_tokens, _words) = (tokens, words);

    /// <summary>Bytes, the entry that keeps it included.</summary>
    public long Size => 256 + (_tokens?.Length * sizeof(int) ?? _words!.Length * sizeof(ulong));

    public static TokenMask Of(ReadOnlySpan<ulong> words)
    {
        var count = 0;
        foreach (var word in words) count += BitOperations.PopCount(word);
        if (count > words.Length) return new TokenMask(null, words.ToArray());
        var tokens = new int[count];
        var at = 0;
        for (var i = 0; i < words.Length; i++)
            for (var rest = words[i]; rest != 0; rest &= rest - 1) tokens[at++] = (i * 64) + BitOperations.TrailingZeroCount(rest);
        return new TokenMask(tokens, null);
    }

    public void AddTo(Span<ulong> allowed)
    {
        if (_tokens is not null)
        {
            foreach (var token in _tokens) allowed[token / 64] |= 1UL << (token % 64);
            return;
        }

        for (var i = 0; i < _words!.Length; i++) allowed[i] |= _words[i];
    }
}
