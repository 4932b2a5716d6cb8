using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace OpenGradient.Engine.Formats;

/// <summary>16 unguessable bytes that name one receipt (docs/formats.md, "Row leaf").</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct ReceiptId : IEquatable<ReceiptId>
{
    public const int Size = 16;

    private readonly ulong _a, _b;

    public ReceiptId(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size) throw new ArgumentException($"a receipt id is {Size} bytes, not {bytes.Length}", nameof(bytes));
        this = MemoryMarshal.Read<ReceiptId>(bytes);
    }

    [UnscopedRef]
    public ReadOnlySpan<byte> Bytes => MemoryMarshal.AsBytes(new ReadOnlySpan<ReceiptId>(in this));

    /// <summary>The id of the receipt whose row leaf preimage this is.</summary>
    public static ReceiptId Of(ReadOnlySpan<byte> rowLeaf)
    {
        Span<byte> input = stackalloc byte[16 + RowLeaf.Size];
        "OGE receipt id 1"u8.CopyTo(input);
        rowLeaf.CopyTo(input[16..]);
        Span<byte> digest = stackalloc byte[Hash256.Size];
        SHA256.HashData(input[..(16 + rowLeaf.Length)], digest);
        return new ReceiptId(digest[..Size]);
    }

    /// <summary>Parses 32 hexadecimal digits.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out ReceiptId id)
    {
        id = default;
        Span<byte> bytes = stackalloc byte[Size];
        if (!HexDigits.TryRead(text, bytes)) return false;
        id = new ReceiptId(bytes);
        return true;
    }

    public bool Equals(ReceiptId other) => _a == other._a && _b == other._b;

    public override bool Equals(object? obj) => obj is ReceiptId other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(_a, _b);

    public static bool operator ==(ReceiptId left, ReceiptId right) => left.Equals(right);

    public static bool operator !=(ReceiptId left, ReceiptId right) => !left.Equals(right);

    /// <summary>32 lower-case hexadecimal digits.</summary>
    public override string ToString() => Convert.ToHexStringLower(Bytes);
}
