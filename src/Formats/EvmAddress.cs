using System.Runtime.InteropServices;

namespace OpenGradient.Engine.Formats;

/// <summary>20 bytes: an account or a contract on an EVM chain.</summary>
public readonly struct EvmAddress : IEquatable<EvmAddress>
{
    public const int Size = 20;

    private readonly ulong _a, _b;
    private readonly uint _c;

    public EvmAddress(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size) throw new ArgumentException($"an address is {Size} bytes, not {bytes.Length}", nameof(bytes));
        _a = MemoryMarshal.Read<ulong>(bytes);
        _b = MemoryMarshal.Read<ulong>(bytes[8..]);
        _c = MemoryMarshal.Read<uint>(bytes[16..]);
    }

    public bool IsZero => (_a | _b | _c) == 0;

    /// <summary>The account of a secp256k1 public key: the last 20 bytes of K(x ‖ y).</summary>
    /// <param name="uncompressed">65 bytes, 0x04 ‖ x ‖ y.</param>
    public static EvmAddress OfPublicKey(ReadOnlySpan<byte> uncompressed)
    {
        if (uncompressed.Length != 65 || uncompressed[0] != 4) throw new ArgumentException("an uncompressed public key is 65 bytes and begins with 4", nameof(uncompressed));
        return new EvmAddress(Keccak256.Hash(uncompressed[1..]).Bytes[12..]);
    }

    public static bool TryParse(ReadOnlySpan<char> text, out EvmAddress address)
    {
        address = default;
        if (text.StartsWith("0x")) text = text[2..];
        Span<byte> bytes = stackalloc byte[Size];
        if (!HexDigits.TryRead(text, bytes)) return false;
        address = new EvmAddress(bytes);
        return true;
    }

    public static EvmAddress Parse(ReadOnlySpan<char> text) =>
        TryParse(text, out var address) ? address : throw new FormatException("an address is 40 hexadecimal digits");

    public void CopyTo(Span<byte> destination)
    {
        MemoryMarshal.Write(destination, in _a);
        MemoryMarshal.Write(destination[8..], in _b);
        MemoryMarshal.Write(destination[16..], in _c);
    }

    public byte[] ToArray()
    {
        var bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    public bool Equals(EvmAddress other) => _a == other._a && _b == other._b && _c == other._c;

    public override bool Equals(object? obj) => obj is EvmAddress other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(_a, _b, _c);

    public static bool operator ==(EvmAddress left, EvmAddress right) => left.Equals(right);

    public static bool operator !=(EvmAddress left, EvmAddress right) => !left.Equals(right);

    /// <summary><c>0x</c> and 40 lower-case hexadecimal digits.</summary>
    public override string ToString() => "0x" + Convert.ToHexStringLower(ToArray());
}
