using System.Buffers.Binary;
using System.Security.Cryptography;

namespace OpenGradient.Engine.Attestation.Verification.Tpm;

/// <summary>
/// Replays a firmware's event log (TCG PC Client Platform Firmware Profile, 10.2, crypto-agile, little-endian) in the SHA-256 bank. What
/// the events' data means is not judged: only their digests stand in the registers.
/// </summary>
internal static class TpmEventLog
{
    private const uint NoAction = 3;
    private const int Registers = 24, DigestSize = 32, MostBanks = 8, MostEvents = 16384, MostData = 256 * 1024;

    private static ReadOnlySpan<byte> HeaderTag => "Spec ID Event03\0"u8;

    private static ReadOnlySpan<byte> LocalityTag => "StartupLocality\0"u8;

    /// <summary>The registers that the log extends, with their values at its end.</summary>
    /// <exception cref="FormatException">Not exactly such a log.</exception>
    public static IReadOnlyDictionary<int, byte[]> Replay(ReadOnlySpan<byte> log)
    {
        var rest = log;
        var banks = ReadHeader(ref rest);
        var values = new SortedDictionary<int, byte[]>();
        var initial = new byte[DigestSize];
        for (var events = 0; !rest.IsEmpty; events++)
        {
            if (events == MostEvents) throw new FormatException("event log: too many events");
            var (register, type) = (U32(ref rest), U32(ref rest));
            var digest = ReadDigests(ref rest, banks);
            var data = Take(ref rest, Bounded(U32(ref rest)));
            if (type == NoAction)
            {
                if (register == 0 && data.Length == LocalityTag.Length + 1 && data.StartsWith(LocalityTag) && !values.ContainsKey(0)) initial[^1] = data[^1];
                continue;
            }

            if (register >= Registers) throw new FormatException($"event log: register {register}");
            var index = (int)register;
            var before = values.TryGetValue(index, out var value) ? value : index == 0 ? initial : new byte[DigestSize];
            values[index] = SHA256.HashData([.. before, .. digest]);
        }

        return values;
    }

    // TCG_PCR_EVENT with TCG_EfiSpecIdEvent: which banks every later event has, in which sizes.
    private static Dictionary<ushort, int> ReadHeader(ref ReadOnlySpan<byte> rest)
    {
        var (register, type) = (U32(ref rest), U32(ref rest));
        Take(ref rest, 20);
        var data = Take(ref rest, Bounded(U32(ref rest)));
        if (register != 0 || type != NoAction || !data.StartsWith(HeaderTag)) throw new FormatException("event log: not crypto-agile");
        Take(ref data, HeaderTag.Length + 8);
        var count = U32(ref data);
        if (count is 0 or > MostBanks) throw new FormatException($"event log: {count} banks");
        var banks = new Dictionary<ushort, int>();
        for (var i = 0; i < count; i++)
        {
            var (hash, size) = (U16(ref data), U16(ref data));
            if (size is 0 or > 64 || !banks.TryAdd(hash, size)) throw new FormatException($"event log: bank {hash:x4} of {size} bytes");
        }

        Take(ref data, Take(ref data, 1)[0]);
        if (!data.IsEmpty) throw new FormatException("event log: trailing bytes in its header");
        return banks.TryGetValue(TpmAlgorithm.Sha256, out var length) && length == DigestSize ? banks : throw new FormatException("event log: no SHA-256 bank");
    }

    private static byte[] ReadDigests(ref ReadOnlySpan<byte> rest, Dictionary<ushort, int> banks)
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
            if (hash == TpmAlgorithm.Sha256) found = digest.ToArray();
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
