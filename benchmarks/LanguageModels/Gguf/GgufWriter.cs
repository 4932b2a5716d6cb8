using System.Buffers.Binary;
using System.Text;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Gguf;

/// <summary>Types of tensors by their numbers in ggml.</summary>
internal enum GgmlType
{
    F32 = 0,
    Q4 = 2,
    Q8 = 8,
    Bf16 = 30,
}

/// <summary>Writes a GGUF file, version 3: header, metadata, the list of tensors, their data aligned to 32 bytes.</summary>
internal sealed class GgufWriter : IDisposable
{
    private const int Alignment = 32;
    private const uint TypeUInt32 = 4, TypeFloat32 = 6, TypeText = 8;

    private readonly MemoryStream _metadata = new();
    private readonly List<(string Name, long[] Dimensions, GgmlType Type, Action<Stream> Write)> _tensors = [];
    private int _count;

    public GgufWriter Text(string key, string value)
    {
        Key(key, TypeText);
        Text(_metadata, value);
        return this;
    }

    public GgufWriter Number(string key, uint value)
    {
        Key(key, TypeUInt32);
        U32(_metadata, value);
        return this;
    }

    public GgufWriter Number(string key, float value)
    {
        Key(key, TypeFloat32);
        U32(_metadata, BitConverter.SingleToUInt32Bits(value));
        return this;
    }

    /// <param name="dimensions">The innermost first, as ggml counts them.</param>
    /// <param name="write">Writes exactly the tensor's bytes.</param>
    public void Tensor(string name, long[] dimensions, GgmlType type, Action<Stream> write) => _tensors.Add((name, dimensions, type, write));

    public void Save(string path)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        file.Write("GGUF"u8);
        U32(file, 3);
        U64(file, (ulong)_tensors.Count);
        U64(file, (ulong)_count);
        _metadata.WriteTo(file);
        ulong offset = 0;
        foreach (var (name, dimensions, type, _) in _tensors)
        {
            Text(file, name);
            U32(file, (uint)dimensions.Length);
            foreach (var dimension in dimensions) U64(file, (ulong)dimension);
            U32(file, (uint)type);
            U64(file, offset);
            offset += (ulong)Aligned(GgufBlocks.Bytes(type, dimensions));
        }

        foreach (var (_, _, _, write) in _tensors)
        {
            Pad(file);
            write(file);
        }

        Pad(file);
    }

    public void Dispose() => _metadata.Dispose();

    private static long Aligned(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    private static void Pad(FileStream file)
    {
        while (file.Position % Alignment != 0) file.WriteByte(0);
    }

    private static void Text(Stream stream, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        U64(stream, (ulong)bytes.Length);
        stream.Write(bytes);
    }

    private static void U32(Stream stream, uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    private static void U64(Stream stream, ulong value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    private void Key(string key, uint type)
    {
        _count++;
        Text(_metadata, key);
        U32(_metadata, type);
    }
}
