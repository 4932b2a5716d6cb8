using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace OpenGradient.Engine.LanguageModels.Tokenization.Normalization;

/// <summary>
/// SentencePiece's rules in their compiled form: a Darts double array from UTF-8 sequences to places in a list of
/// zero-terminated replacements.
/// </summary>
internal sealed class PrecompiledMap : INormalizer
{
    // The rules that SentencePiece ships (nmt_nfkc_cf) are under 400 KB.
    private const int MaxBytes = 16 << 20;

    // Sequences up to this many bytes are looked up whole before their code points are.
    private const int LongestCluster = 5;

    private readonly uint[] _units;
    private readonly byte[] _replacements;

    private PrecompiledMap(uint[] units, byte[] replacements) => (_units, _replacements) = (units, replacements);

    public static PrecompiledMap Read(FilePart part)
    {
        var encoded = part.RequiredText("precompiled_charsmap");
        if (encoded.Length > MaxBytes) throw part.Refuse($"the character map is larger than {MaxBytes} bytes");
        var bytes = new byte[encoded.Length];
        if (!Convert.TryFromBase64String(encoded, bytes, out var size)) throw part.Refuse("the character map is not base64");
        if (size < 4) throw part.Refuse("the character map has no header");
        var trie = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (trie % 4 != 0 || trie > (uint)(size - 4)) throw part.Refuse("the character map's trie is longer than the map");
        var units = new uint[trie / 4];
        for (var index = 0; index < units.Length; index++) units[index] = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(4 + index * 4));
        return new PrecompiledMap(units, bytes[(4 + (int)trie)..size]);
    }

    public string Normalize(string text)
    {
        var normalized = new StringBuilder(text.Length);
        Span<byte> bytes = stackalloc byte[LongestCluster];
        for (var at = 0; at < text.Length;)
        {
            var cluster = text.AsSpan(at, StringInfo.GetNextTextElementLength(text, at));
            if (!Encoding.UTF8.TryGetBytes(cluster, bytes, out var size) || !Append(bytes[..size], normalized)) AppendEach(cluster, normalized);
            at += cluster.Length;
        }

        return normalized.ToString();
    }

    private void AppendEach(ReadOnlySpan<char> cluster, StringBuilder normalized)
    {
        Span<byte> bytes = stackalloc byte[4];
        Span<char> units = stackalloc char[2];
        foreach (var rune in cluster.EnumerateRunes())
            if (!Append(bytes[..rune.EncodeToUtf8(bytes)], normalized)) normalized.Append(units[..rune.EncodeToUtf16(units)]);
    }

    // The shortest key that begins the sequence decides, as in the reference.
    private bool Append(ReadOnlySpan<byte> sequence, StringBuilder normalized)
    {
        if (Find(sequence) is not { } start) return false;
        if (start >= _replacements.Length) return true;
        var rest = _replacements.AsSpan(start);
        var end = rest.IndexOf((byte)0);
        normalized.Append(Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]));
        return true;
    }

    private int? Find(ReadOnlySpan<byte> sequence)
    {
        if (_units.Length == 0) return null;
        var node = Offset(_units[0]);
        foreach (var each in sequence)
        {
            node ^= each;
            if (each == 0 || node >= _units.Length) return null;
            var unit = _units[node];
            // Bits 0 to 7 are the letter that leads here; bit 31 marks a value, which no letter leads to.
            if ((unit & 0x800000FF) != each) return null;
            node ^= Offset(unit);
            var leaf = (unit & 0x100) != 0;
            if (leaf) return node < _units.Length ? (int)(_units[node] & int.MaxValue) : null;
        }

        return null;
    }

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & 0x200) >> 6);
}
