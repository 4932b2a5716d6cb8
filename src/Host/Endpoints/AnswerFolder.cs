using System.Buffers.Binary;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary>
/// Kept answers as files, one per receipt id, closed to others. A file is there whole or not at all: written beside, synced,
/// renamed.
/// <code>16 bytes tag and version ‖ u64 kept since, milliseconds since 1970 ‖ u32 length of the JSON ‖ body</code>
/// </summary>
public sealed class AnswerFolder
{
    private const string Beside = ".new";
    private const int HeaderSize = 28;

    private readonly IDisk _disk;
    private readonly string _folder;

    /// <exception cref="DiskException">The folder cannot be made.</exception>
    public AnswerFolder(IDisk disk, string folder)
    {
        (_disk, _folder) = (disk, folder);
        disk.CreateFolder(folder);
    }

    private static ReadOnlySpan<byte> Tag => "OGE answer v1\0\0\0"u8;

    /// <summary>What an earlier process left, oldest first. Leftovers of a write that was cut are removed; a file that is not an answer is left alone.</summary>
    public IReadOnlyList<(ReceiptId Id, DateTimeOffset Since, long Length)> Load()
    {
        var found = new List<(ReceiptId Id, DateTimeOffset Since, long Length)>();
        foreach (var name in _disk.List(_folder))
        {
            if (name.EndsWith(Beside, StringComparison.Ordinal)) _disk.Delete(At(name));
            else if (ReceiptId.TryParse(name, out var id) && ReadHeader(id) is { } header) found.Add((id, header.Since, header.Length));
        }

        found.Sort((x, y) => x.Since.CompareTo(y.Since));
        return found;
    }

    /// <exception cref="DiskException">It is not stored, for example because the disk is full.</exception>
    public void Write(ReceiptId id, DateTimeOffset since, InferAnswer answer)
    {
        var name = id.ToString();
        Span<byte> header = stackalloc byte[HeaderSize];
        Tag.CopyTo(header);
        BinaryPrimitives.WriteInt64BigEndian(header[16..], since.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt32BigEndian(header[24..], answer.JsonLength);
        using (var file = _disk.Open(At(name + Beside), create: true))
        {
            file.Truncate(0);
            file.Write(header, 0);
            file.Write(answer.Body.Span, HeaderSize);
            file.Sync();
        }

        _disk.Rename(At(name + Beside), At(name));
        _disk.SyncFolder(_folder);
    }

    /// <summary>Null when it is not there any more or cannot be read.</summary>
    public InferAnswer? Read(ReceiptId id)
    {
        try
        {
            if (ReadHeader(id) is not { } header) return null;
            var body = new byte[header.Length];
            using var file = _disk.Open(At(id.ToString()), create: false);
            return file.Read(body, HeaderSize) == body.Length ? new InferAnswer(body, header.JsonLength, id) : null;
        }
        catch (DiskException)
        {
            return null;
        }
    }

    /// <summary>Erases it. What cannot be erased now is erased at the next start, when its time is over.</summary>
    public void Delete(ReceiptId id)
    {
        try
        {
            if (_disk.Exists(At(id.ToString()))) _disk.Delete(At(id.ToString()));
        }
        catch (DiskException)
        {
        }
    }

    private string At(string name) => Path.Combine(_folder, name);

    private (DateTimeOffset Since, int JsonLength, long Length)? ReadHeader(ReceiptId id)
    {
        if (!_disk.Exists(At(id.ToString()))) return null;
        using var file = _disk.Open(At(id.ToString()), create: false);
        Span<byte> header = stackalloc byte[HeaderSize];
        if (file.Read(header, 0) < HeaderSize || !header.StartsWith(Tag)) return null;
        var (since, json, length) = (BinaryPrimitives.ReadInt64BigEndian(header[16..]), BinaryPrimitives.ReadInt32BigEndian(header[24..]), file.Length - HeaderSize);
        return json < 0 || json > length || length > int.MaxValue || since is < 0 or > 253_402_300_799_999
            ? null
            : (DateTimeOffset.FromUnixTimeMilliseconds(since), json, length);
    }
}
