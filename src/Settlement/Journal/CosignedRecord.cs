using System.Text;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Journal;

/// <summary>A witness cosigned a checkpoint of ours: its signature line, with its newline.</summary>
internal sealed record CosignedRecord(ulong Time, ulong Operation, ReadOnlyMemory<byte> Line)
{
    public byte[] Encode() => new ByteWriter().U64(Time).U64(Operation).U32((uint)Line.Length).Bytes(Line.Span).ToArray();

    public static CosignedRecord Decode(ReadOnlySpan<byte> payload)
    {
        var reader = new ByteReader(payload, "journal: cosigned");
        var record = new CosignedRecord(reader.U64(), reader.U64(), reader.Take(reader.U32()).ToArray());
        reader.End();
        if (CheckpointNote.ParseSignatures(record.Line.Span).Count != 1) throw new FormatException("journal: cosigned: one signature line is expected");
        return record;
    }

    /// <summary>Dash and name: what two lines by one witness share.</summary>
    public static string NameOf(ReadOnlySpan<byte> line)
    {
        var text = Encoding.UTF8.GetString(line);
        return text[..text.LastIndexOf(' ')];
    }
}
