using System.Buffers.Binary;

namespace OpenGradient.Engine.Attestation.Verification.EventLogs;

/// <summary>
/// Reads a firmware's event log (TCG PC Client Platform Firmware Profile, 10.2, crypto-agile, little-endian), which TPMs and, with another
/// numbering of registers, confidential guests (UEFI 38.4, CCEL) have. What the events' data means is not judged: only their digests
/// stand in registers.
/// </summary>
internal static class CryptoAgileLog
{
    private const int MostBanks = 8, MostEvents = 16384, MostData = 256 * 1024, LargestDigest = 64;

    private static ReadOnlySpan<byte> HeaderTag => "Spec ID Event03\0"u8;

    /// <param name="log">The whole log.</param>
    /// <param name="bank">TPM_ALG_ID of the digests that are asked for.</param>
    /// <param name="digestSize">Their size, as the header must state it.</param>
    /// <param name="isPadded">Logs of a fixed area end in zeros, or in bytes of 0xff.</param>
    /// <exception cref="FormatException">Not exactly such a log.</exception>
    public static List<MeasuredEvent> Read(ReadOnlySpan<byte> log, ushort bank, int digestSize, bool isPadded)
    {
        var rest = log;
        var banks = ReadHeader(ref rest, bank, digestSize);
        var events = new List<MeasuredEvent>();
        while (!rest.IsEmpty && !(isPadded && IsPadding(rest)))
        {
            if (events.Count == MostEvents) throw new FormatException("event log: too many events");
            var (register, type) = (U32(ref rest), U32(ref rest));
            var digest = ReadDigests(ref rest, banks, bank);
            events.Add(new MeasuredEvent(register, type, digest, Take(ref rest, Bounded(U32(ref rest))).ToArray()));
        }

        return events;
    }

    // An event of register 0 and type 0 begins with zeros as well, so all of the rest has to be looked at; one of register 0xffffffff is none.
    private static bool IsPadding(ReadOnlySpan<byte> rest) => rest[0] is 0 or 0xff && !rest.ContainsAnyExcept(rest[0]);

    // TCG_PCR_EVENT with TCG_EfiSpecIdEvent: which banks every later event has, in which sizes. Guests' firmware writes register 0 or 1 here.
    private static Dictionary<ushort, int> ReadHeader(ref ReadOnlySpan<byte> rest, ushort bank, int digestSize)
    {
        var (register, type) = (U32(ref rest), U32(ref rest));
        Take(ref rest, 20);
        var data = Take(ref rest, Bounded(U32(ref rest)));
        if (register > 1 || type != MeasuredEvent.NoAction || !data.StartsWith(HeaderTag)) throw new FormatException("event log: not crypto-agile");
        Take(ref data, HeaderTag.Length + 8);
        var count = U32(ref data);
        if (count is 0 or > MostBanks) throw new FormatException($"event log: {count} banks");
        var banks = new Dictionary<ushort, int>();
        for (var i = 0; i < count; i++)
        {
            var (hash, size) = (U16(ref data), U16(ref data));
            if (size is 0 or > LargestDigest || !banks.TryAdd(hash, size)) throw new FormatException($"event log: bank {hash:x4} of {size} bytes");
        }

        Take(ref data, Take(ref data, 1)[0]);
        if (!data.IsEmpty) throw new FormatException("event log: trailing bytes in its header");
        return banks.TryGetValue(bank, out var length) && length == digestSize ? banks : throw new FormatException($"event log: no bank {bank:x4} of {digestSize} bytes");
    }

    private static byte[] ReadDigests(ref ReadOnlySpan<byte> rest, Dictionary<ushort, int> banks, ushort bank)
    {
        if (U32(ref rest) != banks.Count) throw new FormatException("event log: an event without a digest of each bank");
        byte[] found = [];
        ulong seen = 0;
        for (var i = 0; i < banks.Count; i++)
        {
            var hash = U16(ref rest);
            if (!banks.TryGetValue(hash, out var size) || hash > 63 || (seen >> hash & 1) != 0) throw new FormatException($"event log: bank {hash:x4} is unknown or comes twice");
            seen |= 1ul << hash;
            var digest = Take(ref rest, size);
            if (hash == bank) found = digest.ToArray();
        }

        return found;
    }

    private static int Bounded(uint size) => size <= MostData ? (int)size : throw new FormatException($"event log: data of {size} bytes");

    private static ushort U16(ref ReadOnlySpan<byte> rest) => BinaryPrimitives.ReadUInt16LittleEndian(Take(ref rest, 2));

    private static uint U32(ref ReadOnlySpan<byte> rest) => BinaryPrimitives.ReadUInt32LittleEndian(Take(ref rest, 4));

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> rest, int size)
    {
        if (size > rest.Length) throw new FormatException("event log: truncated");
        var taken = rest[..size];
        rest = rest[size..];
        return taken;
    }
}
