using System.Text;
using OpenGradient.Engine.LanguageModels.Tokenization.Decoding;
using OpenGradient.Engine.LanguageModels.Tokenization.Models;
using OpenGradient.Engine.LanguageModels.Tokenization.Normalization;
using OpenGradient.Engine.LanguageModels.Tokenization.Patterns;
using OpenGradient.Engine.LanguageModels.Tokenization.PreTokenization;

namespace OpenGradient.Engine.LanguageModels.Tokenization;

/// <summary>
/// Text to token ids and back, as a <c>tokenizer.json</c> describes it. Safe for concurrent calls.
/// docs/language-models/tokenizers.md says what is understood.
/// </summary>
public sealed class Tokenizer
{
    private readonly Vocabulary _vocabulary;
    private readonly AddedTokens _added;
    private readonly INormalizer? _normalizer;
    private readonly IPreTokenizer? _preTokenizer;
    private readonly ITokenModel _model;
    private readonly PostProcessor _around;
    private readonly TokenBytes _bytes;

    internal Tokenizer(TokenizerFile file)
    {
        _vocabulary = file.Vocabulary;
        _added = file.Added;
        _normalizer = file.Normalizer;
        _preTokenizer = file.PreTokenizer;
        _model = file.Model;
        _around = file.Around;
        Plan = file.Decoder;
        VocabularySize = Math.Max(_vocabulary.Size, _added.Size);
        _bytes = new TokenBytes(VocabularySize, token => IsToken(token) ? Plan.BytesOf(TokenText(token), first: false, last: false) : []);
    }

    /// <summary>Ids run from 0 to below this, added tokens included. Some of them may be no token's.</summary>
    public int VocabularySize { get; }

    internal DecodePlan Plan { get; }

    /// <exception cref="TokenizerException">Not a tokenizer that is understood whole; the message names the part.</exception>
    public static Tokenizer Parse(ReadOnlySpan<byte> tokenizerJson) => new(TokenizerFile.Read(tokenizerJson));

    /// <summary>Token ids of a text. Half a surrogate pair counts as U+FFFD.</summary>
    /// <param name="addSpecialTokens">Whether the file's post-processor puts its tokens around the text.</param>
    /// <exception cref="TokenizerException">The file's pattern takes too many steps on this text.</exception>
    public int[] Encode(string text, bool addSpecialTokens)
    {
        ArgumentNullException.ThrowIfNull(text);
        var tokens = new List<int>((text.Length / 3) + 8);
        if (addSpecialTokens) tokens.AddRange(_around.Before);
        var whole = CodePoints.WellFormed(text);
        foreach (var section in _added.SplitRaw(whole))
        {
            if (section.Token >= 0) tokens.Add(section.Token);
            else EncodeSection(whole[section.Start..section.End], section.Start == 0, tokens);
        }

        if (addSpecialTokens) tokens.AddRange(_around.After);
        return [.. tokens];
    }

    /// <summary>The text of tokens; bytes that are no UTF-8 become U+FFFD. Ids that no token has add nothing.</summary>
    public string Decode(ReadOnlySpan<int> tokens, bool skipSpecialTokens)
    {
        var detokenizer = StartDetokenizer(skipSpecialTokens);
        var text = new StringBuilder(tokens.Length * 4);
        foreach (var token in tokens) text.Append(detokenizer.Append(token));
        return text.Append(detokenizer.Finish()).ToString();
    }

    /// <summary>The id of a token by its text in the file, added tokens first.</summary>
    public int? IdOf(string token) => _added.Find(token)?.Id ?? _vocabulary.IdOf(token);

    /// <summary>The token's text as the file has it, for example <c>Ġthe</c>; empty for an id that no token has.</summary>
    public string TokenText(int token) => _added.Find(token)?.Content ?? _vocabulary.TextOf(token) ?? "";

    /// <summary>The UTF-8 bytes that a token adds to a text; none for special tokens and for ids that no token has.</summary>
    public ReadOnlySpan<byte> BytesOf(int token) => IsSpecial(token) ? default : _bytes[token];

    public bool IsSpecial(int token) => _added.Find(token) is { Special: true };

    public StreamingDetokenizer StartDetokenizer(bool skipSpecialTokens) => new(this, skipSpecialTokens);

    internal bool IsToken(int token) => _vocabulary.TextOf(token) is not null || _added.Find(token) is not null;

    internal ReadOnlySpan<byte> Inner(int token) => _bytes[token];

    private void EncodeSection(string text, bool atStart, List<int> tokens)
    {
        var normalized = _normalizer?.Normalize(text) ?? text;
        foreach (var section in _added.SplitNormalized(normalized))
        {
            if (section.Token >= 0) tokens.Add(section.Token);
            else EncodePiece(new Piece(normalized.AsMemory(section.Start, section.End - section.Start), atStart && section.Start == 0), tokens);
        }
    }

    private void EncodePiece(Piece piece, List<int> tokens)
    {
        if (_preTokenizer is null)
        {
            _model.Encode(piece.Text.Span, tokens);
            return;
        }

        var pieces = new List<Piece>();
        _preTokenizer.Split([piece], pieces);
        foreach (var each in pieces) _model.Encode(each.Text.Span, tokens);
    }
}
