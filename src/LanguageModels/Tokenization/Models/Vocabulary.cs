using System.Globalization;
using System.Text;

namespace OpenGradient.Engine.LanguageModels.Tokenization.Models;

/// <summary>Token texts and their ids, both ways. Filled while a file is read, fixed afterwards.</summary>
internal sealed class Vocabulary
{
    /// <summary>Four times the largest published vocabulary.</summary>
    public const int MaxTokens = 1 << 20;

    /// <summary>Published tokens have up to some hundred letters (rows of spaces, rules of equal signs).</summary>
    public const int MaxTokenLength = 4096;

    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly List<string?> _texts = [];

    /// <summary>One more than the highest id.</summary>
    public int Size => _texts.Count;

    public Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> BySpan => _ids.GetAlternateLookup<ReadOnlySpan<char>>();

    public void Add(string text, int id, FilePart from)
    {
        if (text.Length > MaxTokenLength) throw from.Refuse($"token {id} has {text.Length} letters, more than {MaxTokenLength}");
        if (id is < 0 or >= MaxTokens) throw from.Refuse($"the id {id} of '{Shown(text)}' is not below {MaxTokens}");
        while (_texts.Count <= id) _texts.Add(null);
        if (_texts[id] is { } other) throw from.Refuse($"the id {id} is given to '{Shown(other)}' and to '{Shown(text)}'");
        if (!_ids.TryAdd(text, id)) throw from.Refuse($"'{Shown(text)}' has the ids {_ids[text]} and {id}");
        _texts[id] = text;
    }

    /// <summary>The token's text, or null for an id that no token has.</summary>
    public string? TextOf(int id) => (uint)id < (uint)_texts.Count ? _texts[id] : null;

    public int? IdOf(string text) => _ids.TryGetValue(text, out var id) ? id : null;

    /// <summary>Ids of <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c>, each -1 where it is missing.</summary>
    public int[] ByteTokens()
    {
        var ids = new int[256];
        for (var value = 0; value < 256; value++) ids[value] = IdOf(string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>")) ?? -1;
        return ids;
    }

    /// <summary>Adds the byte tokens of a code point, if the vocabulary has all of them.</summary>
    public static bool AddBytes(int point, int[] byteTokens, List<int> tokens)
    {
        Span<byte> bytes = stackalloc byte[4];
        var size = new Rune(point).EncodeToUtf8(bytes);
        foreach (var each in bytes[..size])
            if (byteTokens[each] < 0) return false;
        foreach (var each in bytes[..size]) tokens.Add(byteTokens[each]);
        return true;
    }

    public static string Shown(string text) => text.Length <= 64 ? text : text[..64] + "...";
}
