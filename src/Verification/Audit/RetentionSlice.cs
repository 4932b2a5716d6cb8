using System.Buffers.Binary;
using System.Security.Cryptography;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification.Audit;

/// <summary>
/// One part of the window on disk: a file of rows, encrypted with a key that lies elsewhere and is destroyed with it. Used
/// under its owner's lock.
/// <code>tag("OGE retained v1") ‖ per row: statement (32) ‖ u32 row ‖ u32 length ‖ nonce (12) ‖ tag (16) ‖ ciphertext</code>
/// Statement and row are public and authenticated; the plaintext is <c>u32 receipt length ‖ receipt ‖ u32 input length ‖ input ‖ output</c>.
/// </summary>
internal sealed class RetentionSlice : IDisposable
{
    private const int HeaderSize = Hash256.Size + 4 + 4;
    private const int NonceSize = 12;
    private const int TagSize = 16;
    private const int KeySize = 32;
    private const int TagBytes = 16;

    private readonly string _path;
    private readonly string _keyPath;
    private readonly FileStream _file;
    private readonly AesGcm _cipher;

    private RetentionSlice(string path, string keyPath, FileStream file, byte[] key, DateTimeOffset begun)
    {
        (_path, _keyPath, _file, Begun) = (path, keyPath, file, begun);
        _cipher = new AesGcm(key, TagSize);
        CryptographicOperations.ZeroMemory(key);
    }

    /// <summary>Its file's name without the ending: the milliseconds since 1970 when it was begun.</summary>
    public DateTimeOffset Begun { get; }

    public long Bytes => _file.Length;

    /// <summary>Rows that are still needed.</summary>
    public HashSet<(Hash256 Statement, uint Row)> Held { get; } = [];

    public static RetentionSlice Create(string folder, string keys, DateTimeOffset now)
    {
        var name = $"{now.ToUnixTimeMilliseconds()}";
        var (path, keyPath) = (Path.Combine(folder, name + ".rows"), Path.Combine(keys, name + ".key"));
        var key = RandomNumberGenerator.GetBytes(KeySize);
        using (var file = Open(keyPath, FileMode.CreateNew))
        {
            file.Write(key);
            file.Flush(flushToDisk: true);
        }

        var rows = Open(path, FileMode.CreateNew);
        rows.Write(new ByteWriter().Tag("OGE retained v1"u8).ToArray());
        return new RetentionSlice(path, keyPath, rows, key, now);
    }

    /// <summary>A slice that an earlier process wrote; null, and what is left of it removed, when its key or its beginning is not there.</summary>
    /// <exception cref="FormatException">Another release wrote it.</exception>
    public static RetentionSlice? Reopen(string path, string keys, Action<Hash256, uint, long> found)
    {
        var name = Path.GetFileNameWithoutExtension(path);
        var keyPath = Path.Combine(keys, name + ".key");
        if (!long.TryParse(name, out var begun) || !File.Exists(keyPath) || new FileInfo(keyPath).Length != KeySize)
        {
            File.Delete(path);
            return null;
        }

        var slice = new RetentionSlice(path, keyPath, Open(path, FileMode.Open), File.ReadAllBytes(keyPath), DateTimeOffset.FromUnixTimeMilliseconds(begun));
        if (slice.Bytes < TagBytes)
        {
            slice.Destroy();
            return null;
        }

        try
        {
            slice.ReadIndex(found);
            return slice;
        }
        catch
        {
            slice.Dispose();
            throw;
        }
    }

    /// <summary>Bytes that a row takes here, an empty slice's own counted in.</summary>
    public static long SizeOf(RetainedRow row) => TagBytes + HeaderSize + NonceSize + TagSize + 8 + row.Receipt.Encode().Length + (long)row.Input.Length + row.Output.Length;

    /// <summary>Appends a row and returns where it lies.</summary>
    public long Write(in Hash256 statement, uint row, RetainedRow retained)
    {
        var receipt = retained.Receipt.Encode();
        var plain = new byte[4 + receipt.Length + 4 + retained.Input.Length + retained.Output.Length];
        BinaryPrimitives.WriteUInt32BigEndian(plain, (uint)receipt.Length);
        receipt.CopyTo(plain, 4);
        BinaryPrimitives.WriteUInt32BigEndian(plain.AsSpan(4 + receipt.Length), (uint)retained.Input.Length);
        retained.Input.Span.CopyTo(plain.AsSpan(8 + receipt.Length));
        retained.Output.Span.CopyTo(plain.AsSpan(8 + receipt.Length + retained.Input.Length));

        var record = new byte[HeaderSize + NonceSize + TagSize + plain.Length];
        statement.Bytes.CopyTo(record);
        BinaryPrimitives.WriteUInt32BigEndian(record.AsSpan(32), row);
        BinaryPrimitives.WriteUInt32BigEndian(record.AsSpan(36), (uint)plain.Length);
        var nonce = record.AsSpan(HeaderSize, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        _cipher.Encrypt(nonce, plain, record.AsSpan(HeaderSize + NonceSize + TagSize), record.AsSpan(HeaderSize + NonceSize, TagSize), record.AsSpan(0, HeaderSize));
        CryptographicOperations.ZeroMemory(plain);
        var at = _file.Seek(0, SeekOrigin.End);
        try
        {
            _file.Write(record);
        }
        catch (IOException)
        {
            // A full disk took a part of it: what comes behind must begin where the next reader looks for it.
            _file.SetLength(at);
            throw;
        }

        Held.Add((statement, row));
        return at;
    }

    /// <summary>The row that lies there; null when it was erased, or its bytes were changed.</summary>
    public RetainedRow? Read(long at)
    {
        var header = new byte[HeaderSize];
        _file.Seek(at, SeekOrigin.Begin);
        if (_file.ReadAtLeast(header, HeaderSize, throwOnEndOfStream: false) < HeaderSize) return null;
        var length = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(36));
        if (length > _file.Length - at - HeaderSize - NonceSize - TagSize) return null;
        var body = new byte[NonceSize + TagSize + (int)length];
        _file.ReadExactly(body);
        var plain = new byte[length];
        try
        {
            _cipher.Decrypt(body.AsSpan(0, NonceSize), body.AsSpan(NonceSize + TagSize), body.AsSpan(NonceSize, TagSize), plain, header);
            return Decode(plain);
        }
        catch (Exception damaged) when (damaged is CryptographicException or FormatException)
        {
            return null;
        }
    }

    /// <summary>Overwrites the row that lies there and syncs.</summary>
    public void Erase(long at)
    {
        var header = new byte[HeaderSize];
        _file.Seek(at, SeekOrigin.Begin);
        _file.ReadExactly(header);
        var length = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(36));
        _file.Write(new byte[NonceSize + TagSize + (int)length]);
        _file.Flush(flushToDisk: true);
    }

    /// <summary>Overwrites and removes the key, then the rows: without it they are noise.</summary>
    public void Destroy()
    {
        Dispose();
        if (File.Exists(_keyPath))
        {
            using (var key = Open(_keyPath, FileMode.Open))
            {
                key.Write(new byte[KeySize]);
                key.Flush(flushToDisk: true);
            }

            File.Delete(_keyPath);
        }

        File.Delete(_path);
    }

    public void Dispose()
    {
        _cipher.Dispose();
        _file.Dispose();
    }

    private void ReadIndex(Action<Hash256, uint, long> found)
    {
        var tag = new byte[TagBytes];
        _file.Seek(0, SeekOrigin.Begin);
        _file.ReadExactly(tag);
        if (!tag.AsSpan().StartsWith("OGE retained v1"u8)) throw new FormatException($"'{_path}': unknown tag or version of retained rows; another release wrote it, and may go on with it");
        var header = new byte[HeaderSize];
        for (long at = tag.Length; at + HeaderSize <= _file.Length;)
        {
            _file.Seek(at, SeekOrigin.Begin);
            _file.ReadExactly(header);
            var next = at + HeaderSize + NonceSize + TagSize + BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(36));
            if (next > _file.Length)
            {
                // A crash cut the last row: it was not kept.
                _file.SetLength(at);
                break;
            }

            var (statement, row) = (new Hash256(header.AsSpan(0, 32)), BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(32)));
            Held.Add((statement, row));
            found(statement, row, at);
            at = next;
        }
    }

    private static RetainedRow Decode(byte[] plain)
    {
        var reader = new ByteReader(plain, "retained row");
        var receipt = Receipt.Decode(reader.Take(reader.U32()));
        var input = reader.Take(reader.U32()).ToArray();
        return new RetainedRow(receipt, input, plain.AsMemory(plain.Length - reader.Remaining));
    }

    private static FileStream Open(string path, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.Read, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && mode == FileMode.CreateNew) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }
}
