using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>
/// One open safetensors file. It stays open while its tensors are read, so that a file put in its place is not mixed in; a
/// file that is shortened meanwhile is an error, not a fault (docs/adr/0018). Safe for concurrent reads.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    private const int LengthBytes = 8;

    private readonly SafeFileHandle _handle;
    private readonly long _dataStart;

    private SafetensorsFile(SafeFileHandle handle, string name, IReadOnlyList<SafetensorsTensor> tensors, long dataStart)
    {
        _handle = handle;
        _dataStart = dataStart;
        Name = name;
        Tensors = tensors;
    }

    /// <summary>The file's name in its folder.</summary>
    public string Name { get; }

    /// <summary>In the order of their data.</summary>
    public IReadOnlyList<SafetensorsTensor> Tensors { get; }

    /// <summary>Opens a file and checks its whole header.</summary>
    /// <exception cref="LanguageModelLoadException">Not a safetensors file that follows the format; the message names file, tensor and byte range.</exception>
    public static SafetensorsFile Open(string folder, string name)
    {
        var handle = FolderFile.OpenRegular(folder, name);
        try
        {
            var length = RandomAccess.GetLength(handle);
            if (length < LengthBytes) throw new LanguageModelLoadException($"{name}: it is {length} bytes, too short for a safetensors file");
            var size = new byte[LengthBytes];
            FolderFile.ReadExactly(handle, name, 0, size);
            var headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(size);
            if (headerBytes > SafetensorsHeader.MaxFormatBytes)
                throw new LanguageModelLoadException($"{name}: its header claims {headerBytes} bytes, more than the format's {SafetensorsHeader.MaxFormatBytes}");
            if (headerBytes > (ulong)(length - LengthBytes))
                throw new LanguageModelLoadException($"{name}: its header claims {headerBytes} bytes, the file has {length - LengthBytes} after the length");
            if (headerBytes > SafetensorsHeader.MaxBytes)
                throw new LanguageModelLoadException($"{name}: its header claims {headerBytes} bytes, more than the {SafetensorsHeader.MaxBytes} that are read");
            var header = new byte[headerBytes];
            FolderFile.ReadExactly(handle, name, LengthBytes, header);
            var dataStart = LengthBytes + (long)headerBytes;
            return new SafetensorsFile(handle, name, SafetensorsHeader.Parse(header, length - dataStart, name), dataStart);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Fills the span with a tensor's bytes from an offset inside it.</summary>
    /// <exception cref="LanguageModelLoadException">The file was shortened, or cannot be read.</exception>
    public void Read(SafetensorsTensor tensor, long offset, Span<byte> into)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, tensor.Length - into.Length);
        FolderFile.ReadExactly(_handle, Name, _dataStart + tensor.Offset + offset, into);
    }

    public void Dispose() => _handle.Dispose();
}
