using System.Buffers.Binary;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>What a snapshot says of a run.</summary>
/// <param name="Number">Of the file.</param>
/// <param name="Level">How often its keys were merged.</param>
internal readonly record struct KeyRunName(uint Number, byte Level, ulong Count);

/// <summary>
/// Sorted keys, written once, in pages of 4,096 bytes: 170 keys of 24 bytes, zero bytes, u32 CRC32C (little-endian, over
/// the page number and what is before it). Page 0 is the header: tag "OGE keys v1" to 16 bytes, u64 count. Ids are
/// digests, so a key's place is guessed from its value and two or three pages are read. Safe for concurrent readers.
/// </summary>
internal sealed class KeyRun(IDiskFile file, string path, KeyRunName name)
{
    public const int PageSize = 4096;
    public const int PerPage = (PageSize - 4) / ArchiveKey.Size;

    private const int Guesses = 6; // then halves: keys that somebody chose could lie anywhere

    public static ReadOnlySpan<byte> Tag => "OGE keys v1\0\0\0\0\0"u8;

    private static ReadOnlySpan<byte> Family => "OGE keys v"u8;

    public KeyRunName Name => name;

    public string Path => path;

    private ulong Pages => (name.Count + PerPage - 1) / PerPage;

    /// <exception cref="ArchiveDamagedException">Not the file that the snapshot names.</exception>
    public static KeyRun Open(IDisk disk, string path, KeyRunName name)
    {
        if (!disk.Exists(path)) throw ArchiveDamagedException.At(path, "the file is missing");
        var run = new KeyRun(disk.Open(path, create: false), path, name);
        var page = new byte[PageSize];
        run.ReadRaw(0, page);
        if (page.AsSpan().StartsWith(Family) && !page.AsSpan().StartsWith(Tag)) throw new ArchiveDamagedException($"{path} has another format version; use the release that wrote it or a newer one");
        if (!page.AsSpan().StartsWith(Tag) || !IsIntact(page, 0)) throw ArchiveDamagedException.At(path, "its header is damaged");
        var count = BinaryPrimitives.ReadUInt64LittleEndian(page.AsSpan(16));
        return count == name.Count ? run : throw ArchiveDamagedException.At(path, $"it holds {count} keys where the snapshot knows {name.Count}");
    }

    public static uint Checksum(ReadOnlySpan<byte> page, ulong number) => Crc.Finish(Crc.Add(Crc.Start(number), page[..(PageSize - 4)]));

    public ArchiveKey? Find(in ArchiveKey wanted)
    {
        Span<byte> page = stackalloc byte[PageSize];
        ulong low = 0, high = Pages; // pages that may hold it: low ≤ page < high
        ulong lowKey = 0, highKey = ulong.MaxValue;
        for (var probe = 0; low < high; probe++)
        {
            var at = probe < Guesses ? Guess(low, high, lowKey, highKey, wanted.High) : low + ((high - low) / 2);
            var count = ReadPage(at, page);
            var (first, last) = (KeyAt(page, 0), KeyAt(page, count - 1));
            if (wanted.CompareTo(first) < 0) (high, highKey) = (at, first.High);
            else if (wanted.CompareTo(last) > 0) (low, lowKey) = (at + 1, last.High);
            else return FindIn(page, count, wanted);
        }

        return null;
    }

    /// <summary>Reads a page of keys; returns how many it holds.</summary>
    public int ReadPage(ulong index, Span<byte> page)
    {
        ReadRaw(index + 1, page);
        if (!IsIntact(page, index + 1)) throw ArchiveDamagedException.At(path, $"page {index + 1} is damaged");
        return (int)Math.Min(PerPage, name.Count - (index * PerPage));
    }

    public static ArchiveKey KeyAt(ReadOnlySpan<byte> page, int index) => ArchiveKey.Decode(page.Slice(index * ArchiveKey.Size, ArchiveKey.Size));

    public void Sync() => file.Sync();

    /// <summary>Only at the end: a run that was merged away is left to its last reader.</summary>
    public void Close() => file.Dispose();

    private static ulong Guess(ulong low, ulong high, ulong lowKey, ulong highKey, ulong wanted)
    {
        if (highKey <= lowKey) return low + ((high - low) / 2);
        var share = (UInt128)(Math.Clamp(wanted, lowKey, highKey) - lowKey) * (high - low) / ((UInt128)(highKey - lowKey) + 1);
        return low + (ulong)share;
    }

    private static ArchiveKey? FindIn(ReadOnlySpan<byte> page, int count, in ArchiveKey wanted)
    {
        for (int low = 0, high = count - 1; low <= high;)
        {
            var middle = (low + high) / 2;
            var key = KeyAt(page, middle);
            var order = wanted.CompareTo(key);
            if (order == 0) return key;
            if (order < 0) high = middle - 1;
            else low = middle + 1;
        }

        return null;
    }

    private static bool IsIntact(ReadOnlySpan<byte> page, ulong number) => BinaryPrimitives.ReadUInt32LittleEndian(page[(PageSize - 4)..]) == Checksum(page, number);

    private void ReadRaw(ulong page, Span<byte> bytes)
    {
        if (file.Read(bytes, (long)page * PageSize) != PageSize) throw ArchiveDamagedException.At(path, $"it ends within page {page}");
    }
}
