using System.Text;

namespace OpenGradient.Engine.Formats;

/// <summary>Text inside formats: UTF-8, and never quietly altered on the way in.</summary>
internal static class Names
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="ArgumentException">An unpaired surrogate: written as U+FFFD, two different names would become one.</exception>
    public static byte[] ToUtf8(string text) => Strict.GetBytes(text);

    /// <summary>Null for bytes that are not UTF-8.</summary>
    public static string? FromUtf8(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>Orders by the bytes of the names and refuses two that are the same, whose order would be the caller's.</summary>
    public static T[] Ordered<T>(IEnumerable<T> items, Func<T, byte[]> name)
    {
        var ordered = items.OrderBy(name, ByteOrder).ToArray();
        for (var i = 1; i < ordered.Length; i++)
            if (name(ordered[i]).AsSpan().SequenceEqual(name(ordered[i - 1])))
                throw new ArgumentException($"the name '{Encoding.UTF8.GetString(name(ordered[i]))}' occurs twice", nameof(items));
        return ordered;
    }

    private static readonly Comparer<byte[]> ByteOrder = Comparer<byte[]>.Create((x, y) => x.AsSpan().SequenceCompareTo(y));
}
