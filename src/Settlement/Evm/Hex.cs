using System.Globalization;

namespace OpenGradient.Engine.Settlement.Evm;

/// <summary>JSON-RPC's two hexadecimal forms: quantities without leading zeros, data of whole bytes.</summary>
internal static class Hex
{
    public static string Quantity(ulong value) => "0x" + value.ToString("x", CultureInfo.InvariantCulture);

    public static string Data(ReadOnlySpan<byte> bytes) => "0x" + Convert.ToHexStringLower(bytes);

    public static bool TryQuantity(string? text, out UInt128 value)
    {
        value = 0;
        return text is not null && text.StartsWith("0x", StringComparison.Ordinal) && text.Length is > 2 and <= 34
            && UInt128.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    public static bool TryQuantity(string? text, out ulong value)
    {
        var parsed = TryQuantity(text, out UInt128 wide) && wide <= ulong.MaxValue;
        value = parsed ? (ulong)wide : 0;
        return parsed;
    }

    public static byte[]? TryData(string? text)
    {
        if (text is null || !text.StartsWith("0x", StringComparison.Ordinal) || text.Length % 2 != 0) return null;
        var bytes = new byte[(text.Length - 2) / 2];
        return Convert.FromHexString(text.AsSpan(2), bytes, out _, out var written) == System.Buffers.OperationStatus.Done && written == bytes.Length ? bytes : null;
    }

    public static bool TryHash(string? text, out Formats.Hash256 hash)
    {
        hash = default;
        return text is not null && Formats.Hash256.TryParse(text, out hash);
    }
}
