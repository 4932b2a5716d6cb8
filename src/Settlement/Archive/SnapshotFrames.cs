using System.Buffers.Binary;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>What a part of a snapshot holds. Numbers are on disk: never reused.</summary>
internal enum SnapshotPart : byte
{
    Archive = 1,
    Epoch = 2,
    Operation = 3,
    Statement = 4,
    TreeEdge = 5,
    TreeTile = 6,
    Carried = 7,
    AnchoringEpochs = 8,
    Spending = 9,
    End = 255,
}

/// <summary>
/// A snapshot's file: tag "OGE snapshot v1" to 16 bytes, then parts: u32 length ‖ u8 kind ‖ bytes ‖ u32 CRC32C over the
/// part's number, kind and bytes (little-endian). The last part is <see cref="SnapshotPart.End"/>: without it the file is cut.
/// </summary>
internal static class SnapshotFrames
{
    public const int HeaderSize = 16;
    public const int MaxPart = 64 << 20; // a statement with its 65,536 receipts is 3 MiB

    public static ReadOnlySpan<byte> Tag => "OGE snapshot v1\0"u8;

    public static ReadOnlySpan<byte> Family => "OGE snapshot v"u8;

    public static uint Checksum(ulong number, byte kind, ReadOnlySpan<byte> bytes) => Crc.Finish(Crc.Add(Crc.Add(Crc.Start(number), [kind]), bytes));
}

internal sealed class SnapshotWriter(IDiskFile file)
{
    private readonly byte[] _buffer = new byte[1 << 20];
    private int _filled;
    private long _written;
    private ulong _parts;

    public long Length => _written + _filled;

    public void Begin() => Put(SnapshotFrames.Tag);

    public void Part(SnapshotPart kind, ReadOnlySpan<byte> bytes)
    {
        Span<byte> head = stackalloc byte[5];
        BinaryPrimitives.WriteInt32LittleEndian(head, bytes.Length);
        head[4] = (byte)kind;
        Put(head);
        Put(bytes);
        Span<byte> checksum = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(checksum, SnapshotFrames.Checksum(_parts++, (byte)kind, bytes));
        Put(checksum);
    }

    public void Complete()
    {
        Part(SnapshotPart.End, []);
        Flush();
        file.Sync();
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_filled == _buffer.Length) Flush();
            var fits = Math.Min(bytes.Length, _buffer.Length - _filled);
            bytes[..fits].CopyTo(_buffer.AsSpan(_filled));
            _filled += fits;
            bytes = bytes[fits..];
        }
    }

    private void Flush()
    {
        file.Write(_buffer.AsSpan(0, _filled), _written);
        _written += _filled;
        _filled = 0;
    }
}

/// <summary>Reads part after part; null when the file is not whole.</summary>
internal sealed class SnapshotReader(IDiskFile file)
{
    private readonly byte[] _buffer = new byte[1 << 20];
    private int _at;
    private int _filled;
    private long _offset;
    private ulong _parts;

    /// <returns>False: not a snapshot at all, or its beginning is damaged.</returns>
    /// <exception cref="ArchiveDamagedException">A newer release wrote it.</exception>
    public bool Begin(string path)
    {
        Span<byte> tag = stackalloc byte[SnapshotFrames.HeaderSize];
        if (!Take(tag)) return false;
        if (tag.SequenceEqual(SnapshotFrames.Tag)) return true;
        return tag.StartsWith(SnapshotFrames.Family) ? throw new ArchiveDamagedException($"{path} has another format version; use the release that wrote it or a newer one") : false;
    }

    public (SnapshotPart Kind, byte[] Bytes)? Next()
    {
        Span<byte> head = stackalloc byte[5];
        if (!Take(head)) return null;
        var length = BinaryPrimitives.ReadInt32LittleEndian(head);
        if (length is < 0 or > SnapshotFrames.MaxPart) return null;
        var bytes = new byte[length];
        Span<byte> checksum = stackalloc byte[4];
        if (!Take(bytes) || !Take(checksum)) return null;
        if (BinaryPrimitives.ReadUInt32LittleEndian(checksum) != SnapshotFrames.Checksum(_parts++, head[4], bytes)) return null;
        return ((SnapshotPart)head[4], bytes);
    }

    private bool Take(Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_at == _filled)
            {
                (_at, _filled) = (0, file.Read(_buffer, _offset));
                _offset += _filled;
                if (_filled == 0) return false;
            }

            var fits = Math.Min(bytes.Length, _filled - _at);
            _buffer.AsSpan(_at, fits).CopyTo(bytes);
            _at += fits;
            bytes = bytes[fits..];
        }

        return true;
    }
}
