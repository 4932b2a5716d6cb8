using System.Buffers;
using System.Text;

namespace OpenGradient.Engine.Attestation.Verification.Nvidia.Manifests;

/// <summary>A report's firmware version as the vendor's manifests write it.</summary>
internal static class FirmwareVersion
{
    private const int FirmwareField = 6, GpuSize = 8, LongestText = 32;

    private static readonly SearchValues<byte> Letters = SearchValues.Create("0123456789ABCDEFabcdef."u8);

    /// <returns>"96.00.5E.00.01"; null where the report has none of that form.</returns>
    public static string? Of(SpdmReport report, DeviceCertificate device)
    {
        if (!report.Opaque.TryGetValue(FirmwareField, out var field)) return null;
        return device.IsSwitch ? OfSwitch(field.Span) : OfGpu(field.Span);
    }

    // A little-endian number of four bytes, and a fifth part above it: 00 5E 00 96 01 00 00 00.
    private static string? OfGpu(ReadOnlySpan<byte> field) =>
        field.Length == GpuSize && !field[5..].ContainsAnyExcept((byte)0) ? $"{field[3]:X2}.{field[2]:X2}.{field[1]:X2}.{field[0]:X2}.{field[4]:X2}" : null;

    private static string? OfSwitch(ReadOnlySpan<byte> field)
    {
        var text = field.TrimEnd((byte)0);
        return text.Length is > 0 and <= LongestText && !text.ContainsAnyExcept(Letters) ? Encoding.ASCII.GetString(text) : null;
    }
}
