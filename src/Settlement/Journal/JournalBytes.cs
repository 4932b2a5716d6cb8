using System.Text;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Journal;

/// <summary>Parts that several journal records share.</summary>
internal static class JournalBytes
{
    public static ByteWriter Hashes(this ByteWriter writer, ReadOnlySpan<Hash256> hashes)
    {
        writer.U32((uint)hashes.Length);
        foreach (var hash in hashes) writer.Hash(hash);
        return writer;
    }

    public static Hash256[] Hashes(this ref ByteReader reader)
    {
        var count = reader.U32();
        if (count > reader.Remaining / Hash256.Size) throw new FormatException("journal: more hashes than bytes");
        var hashes = new Hash256[count];
        for (var i = 0; i < hashes.Length; i++) hashes[i] = reader.Hash();
        return hashes;
    }

    public static ByteWriter Text(this ByteWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text.Length > 1000 ? text[..1000] : text);
        return writer.U16(bytes.Length).Bytes(bytes);
    }

    public static string Text(this ref ByteReader reader) => Encoding.UTF8.GetString(reader.Take(reader.U16()));

    public static ByteWriter Wei(this ByteWriter writer, UInt128 amount) => writer.U64((ulong)(amount >> 64)).U64((ulong)amount);

    public static UInt128 Wei(this ref ByteReader reader)
    {
        var high = reader.U64();
        return new UInt128(high, reader.U64());
    }
}
