using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>Records of one size, found by their number: a file per 2^20 of them. Records carry their own checksums.</summary>
internal sealed class FixedSeries(IDisk disk, string folder, string name, int recordSize) : IDisposable
{
    private const ulong PerFile = 1 << 20;

    private readonly SeriesFiles _files = new(disk, folder, name, recordSize);

    /// <summary>Writes whole records with the numbers <paramref name="first"/>, <paramref name="first"/> + 1, …</summary>
    public void Append(ulong first, ReadOnlySpan<byte> records)
    {
        while (!records.IsEmpty)
        {
            var fits = (int)Math.Min(PerFile - (first % PerFile), (ulong)(records.Length / recordSize));
            _files.Append((uint)(first / PerFile), records[..(fits * recordSize)], OffsetOf(first));
            records = records[(fits * recordSize)..];
            first += (ulong)fits;
        }
    }

    public void Read(ulong number, Span<byte> record) => _files.Read((uint)(number / PerFile), record, OffsetOf(number));

    public string PathOf(ulong number) => _files.PathOf((uint)(number / PerFile));

    public void Sync() => _files.Sync();

    public void Dispose() => _files.Dispose();

    private long OffsetOf(ulong number) => SeriesFiles.HeaderSize + ((long)(number % PerFile) * recordSize);
}
