using System.Runtime.InteropServices;
using System.Text;

namespace OpenGradient.Engine.Native;

/// <summary>Zero-terminated UTF-8 of a native library.</summary>
internal static unsafe class NativeText
{
    /// <summary>In a field of fixed size; the zero may be missing where the text fills it.</summary>
    public static string Read(byte* field, int size)
    {
        var bytes = new ReadOnlySpan<byte>(field, size);
        var end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }

    /// <summary>A constant of the library; null is empty.</summary>
    public static string Read(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";
}
