using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>
/// The event log that the project's attester puts behind a quote (docs/attestation/tdx.md, "Evidence"). Nobody signed it: the quote's
/// registers judge it.
/// </summary>
internal static class TdxCarriedLog
{
    private static ReadOnlySpan<byte> Tag => "OGE ccel v1"u8;

    /// <summary>Where it begins in what follows a quote, or that one's length: behind the zeros that the guest's kernel did not trim.</summary>
    public static int Find(ReadOnlySpan<byte> tail)
    {
        var zeros = tail.IndexOfAnyExcept((byte)0);
        return zeros >= 0 && tail[zeros..].StartsWith(Tag) ? zeros : tail.Length;
    }

    /// <summary>The firmware's area, its filling restored.</summary>
    /// <param name="bytes">From the tag to the evidence's end.</param>
    /// <exception cref="FormatException">Not exactly a log, or another spelling of one.</exception>
    public static byte[] Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes, "event log behind the quote");
        reader.Tag(Tag);
        var (size, fill) = (reader.U32(), reader.U8());
        var log = reader.Take(reader.U32());
        reader.End();
        if (size > TdxEventLog.MostBytes || log.Length > size || log.IsEmpty || fill is not (0 or 0xff)) throw new FormatException("event log behind the quote: its area is none");
        // What fills the area is left out as a whole, and nothing fills one that is full.
        if (log.Length == size ? fill != 0 : log[^1] == fill) throw new FormatException("event log behind the quote: filling that was not left out");
        var area = new byte[size];
        log.CopyTo(area);
        area.AsSpan(log.Length).Fill(fill);
        return area;
    }
}
