using System.Buffers;

namespace OpenGradient.Engine.Formats;

internal static class HexDigits
{
    /// <summary>Whether the text is two digits for each byte and nothing else.</summary>
    public static bool TryRead(ReadOnlySpan<char> text, Span<byte> bytes) =>
        text.Length == 2 * bytes.Length && Convert.FromHexString(text, bytes, out _, out var written) == OperationStatus.Done && written == bytes.Length;
}
