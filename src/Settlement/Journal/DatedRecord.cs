using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Journal;

/// <summary>
/// When statements became durable, and that they passed every check where they did. A statement's own record cannot say the
/// first, because it is written before the sync that makes it durable; so this one takes the place of a
/// <see cref="VerifiedRecord"/>, which earlier releases wrote.
/// <code>u64 time ‖ u8 verified ‖ u32 count ‖ count statement ids ‖ count u64 times</code>
/// </summary>
internal sealed record DatedRecord(ulong Time, bool AreVerified, Hash256[] Statements, ulong[] DurableAt)
{
    public byte[] Encode()
    {
        var writer = new ByteWriter().U64(Time).U8(AreVerified ? (byte)1 : (byte)0).Hashes(Statements);
        foreach (var time in DurableAt) writer.U64(time);
        return writer.ToArray();
    }

    public static DatedRecord Decode(ReadOnlySpan<byte> payload)
    {
        var reader = new ByteReader(payload, "journal: dated");
        var (time, verified) = (reader.U64(), reader.U8());
        if (verified > 1) throw new FormatException($"journal: dated: verified is 0 or 1, not {verified}");
        var statements = reader.Hashes();
        var times = new ulong[statements.Length];
        for (var i = 0; i < times.Length; i++) times[i] = reader.U64();
        reader.End();
        return new(time, verified == 1, statements, times);
    }
}
