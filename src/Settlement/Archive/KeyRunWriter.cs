using System.Buffers.Binary;
using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>Writes one run: keys in order, then the header. Nobody knows the file before a snapshot names it, so a crash leaves only something to delete.</summary>
internal sealed class KeyRunWriter : IDisposable
{
    private const int BufferedPages = 256; // 1 MiB per write

    private readonly IDiskFile _file;
    private readonly byte[] _buffer = new byte[BufferedPages * KeyRun.PageSize];
    private ulong _page = 1; // the first page in the buffer; page 0 is the header
    private int _pages;      // full pages in the buffer
    private int _keys;       // keys in the page after them
    private ulong _count;
    private bool _given;

    public KeyRunWriter(IDisk disk, string path)
    {
        _file = disk.Open(path, create: true);
        _file.Truncate(0);
    }

    public void Add(in ArchiveKey key)
    {
        key.Write(_buffer.AsSpan((_pages * KeyRun.PageSize) + (_keys * ArchiveKey.Size)));
        _count++;
        if (++_keys == KeyRun.PerPage) EndPage();
    }

    /// <summary>Completes the file and gives it away.</summary>
    public KeyRun Finish(string path, uint number, byte level)
    {
        if (_keys > 0) EndPage();
        Flush();
        var header = _buffer.AsSpan(0, KeyRun.PageSize);
        header.Clear();
        KeyRun.Tag.CopyTo(header);
        BinaryPrimitives.WriteUInt64LittleEndian(header[16..], _count);
        Seal(header, 0);
        _file.Write(header, 0);
        _given = true;
        return new KeyRun(_file, path, new(number, level, _count));
    }

    /// <summary>For a run that was not finished.</summary>
    public void Dispose()
    {
        if (!_given) _file.Dispose();
    }

    private static void Seal(Span<byte> page, ulong number) => BinaryPrimitives.WriteUInt32LittleEndian(page[(KeyRun.PageSize - 4)..], KeyRun.Checksum(page, number));

    private void EndPage()
    {
        var page = _buffer.AsSpan(_pages * KeyRun.PageSize, KeyRun.PageSize);
        page[(_keys * ArchiveKey.Size)..].Clear();
        Seal(page, _page + (ulong)_pages);
        _keys = 0;
        if (++_pages == BufferedPages) Flush();
    }

    private void Flush()
    {
        if (_pages == 0) return;
        _file.Write(_buffer.AsSpan(0, _pages * KeyRun.PageSize), (long)_page * KeyRun.PageSize);
        _page += (ulong)_pages;
        _pages = 0;
    }
}
