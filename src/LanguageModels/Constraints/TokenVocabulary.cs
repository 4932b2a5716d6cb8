using System.Runtime.CompilerServices;
using System.Text.Unicode;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.LanguageModels.Constraints;

/// <summary>
/// What each token adds to a text, in the form that constraints need, and the constraints that were compiled over it. One per
/// tokenizer. Safe for concurrent calls.
/// </summary>
public sealed class TokenVocabulary
{
    // A model that is asked with a few schemas finds their masks again; each holds at most a few megabytes.
    private const int MaxKept = 16;

    private static readonly ConditionalWeakTable<Tokenizer, TokenVocabulary> OfTokenizers = [];

    private readonly Lock _lock = new();
    private readonly Dictionary<Hash256, LinkedListNode<(Hash256 Key, ITokenConstraintSource Source)>> _kept = [];
    private readonly LinkedList<(Hash256 Key, ITokenConstraintSource Source)> _order = [];
    private readonly ReadOnlyMemory<byte>[] _tokens;

    /// <param name="tokens">By token id: the UTF-8 bytes that it adds, which may be part of a character; none for tokens that constraints never allow.</param>
    public TokenVocabulary(IReadOnlyList<ReadOnlyMemory<byte>> tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        _tokens = [.. tokens];
        var usable = Enumerable.Range(0, _tokens.Length).Where(token => _tokens[token].Length is > 0 and <= TokenTrie.MaxTokenBytes).ToArray();
        All = new TokenTrie(usable, token => _tokens[token]);
        var words = (_tokens.Length + 63) / 64;
        var (plain, lengths) = (new ulong[words], new ushort[_tokens.Length]);
        foreach (var token in usable)
        {
            if (!IsPlain(_tokens[token].Span)) continue;
            plain[token / 64] |= 1UL << (token % 64);
            // Every byte but a continuation begins a code point.
            foreach (var value in _tokens[token].Span)
                if ((value & 0xC0) != 0x80) lengths[token]++;
        }

        (Plain, Lengths) = (plain, lengths);
        Others = new TokenTrie(usable.Where(token => (plain[token / 64] >> (token % 64) & 1) == 0), token => _tokens[token]);
    }

    /// <summary>Tokens, those without bytes included.</summary>
    public int Count => _tokens.Length;

    /// <summary>Every token that has bytes.</summary>
    internal TokenTrie All { get; }

    /// <summary>Tokens of whole characters that stand for themselves within a JSON string, as bits.</summary>
    internal ReadOnlySpan<ulong> PlainMask => Plain;

    /// <summary>Code points of each plain token; 0 for others.</summary>
    internal ReadOnlySpan<ushort> PlainLengths => Lengths;

    /// <summary>All but the plain ones.</summary>
    internal TokenTrie Others { get; }

    private ulong[] Plain { get; }

    private ushort[] Lengths { get; }

    /// <summary>A tokenizer's; made once.</summary>
    public static TokenVocabulary Of(Tokenizer tokenizer) => OfTokenizers.GetValue(tokenizer, Read);

    internal ReadOnlySpan<byte> BytesOf(int token) => _tokens[token].Span;

    /// <summary>A source that was made under this key, or a new one. The least recently used is forgotten.</summary>
    internal ITokenConstraintSource Keep(in Hash256 key, Func<ITokenConstraintSource> make)
    {
        lock (_lock)
        {
            if (_kept.TryGetValue(key, out var found))
            {
                _order.Remove(found);
                _order.AddFirst(found);
                return found.Value.Source;
            }
        }

        // Outside of the lock: compiling may take a while, and two that compile the same are both right.
        var made = make();
        lock (_lock)
        {
            if (_kept.TryGetValue(key, out var other)) return other.Value.Source;
            _kept[key] = _order.AddFirst((key, made));
            if (_order.Count > MaxKept)
            {
                _kept.Remove(_order.Last!.Value.Key);
                _order.RemoveLast();
            }
        }

        return made;
    }

    private static TokenVocabulary Read(Tokenizer tokenizer) =>
        new([.. Enumerable.Range(0, tokenizer.VocabularySize).Select(token => (ReadOnlyMemory<byte>)tokenizer.BytesOf(token).ToArray())]);

    private static bool IsPlain(ReadOnlySpan<byte> bytes) => bytes.IndexOfAnyInRange((byte)0, (byte)0x1F) < 0 && bytes.IndexOfAny((byte)'"', (byte)'\\') < 0 && Utf8.IsValid(bytes);
}
