using System.Buffers.Binary;

namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>The TD report's body, of TDX 1.0 or 1.5. Read only once its signature is known to hold.</summary>
/// <param name="Bytes">584 or 648 bytes.</param>
internal sealed record TdxBody(ReadOnlyMemory<byte> Bytes)
{
    public const int Size10 = 584, Size15 = 648;

    public bool Is15 => Bytes.Length == Size15;

    public string Product => Is15 ? "TDX 1.5" : "TDX 1.0";

    /// <summary>16 security version numbers, as they were when the guest was launched.</summary>
    public ReadOnlyMemory<byte> TcbSvn => Bytes[..16];

    /// <summary>The same numbers as they are now, after updates that keep guests running; null before TDX 1.5.</summary>
    public ReadOnlyMemory<byte>? TcbSvn2 => Is15 ? Bytes.Slice(584, 16) : (ReadOnlyMemory<byte>?)null;

    public ReadOnlyMemory<byte> MrSignerSeam => Bytes.Slice(64, 48);

    public ReadOnlyMemory<byte> SeamAttributes => Bytes.Slice(112, 8);

    public ulong Attributes => BinaryPrimitives.ReadUInt64LittleEndian(Bytes.Span[120..]);

    /// <summary>XFAM: the extended features that are on.</summary>
    public ulong Features => BinaryPrimitives.ReadUInt64LittleEndian(Bytes.Span[128..]);

    public ReadOnlyMemory<byte> MrTd => Bytes.Slice(136, 48);

    /// <summary>The measurement of the service TD that may migrate this guest; null before TDX 1.5.</summary>
    public ReadOnlyMemory<byte>? MrServiceTd => Is15 ? Bytes.Slice(600, 48) : (ReadOnlyMemory<byte>?)null;

    /// <param name="register">0 to 3.</param>
    public ReadOnlySpan<byte> Rtmr(int register) => Bytes.Span.Slice(328 + (48 * register), 48);

    public ReadOnlyMemory<byte> ReportData => Bytes.Slice(520, 64);

    /// <summary>By name, lower-case hexadecimal.</summary>
    public IReadOnlyDictionary<string, string> Measurements()
    {
        var found = new Dictionary<string, string>();
        foreach (var (name, offset, size) in Registers) found.Add(name, Convert.ToHexStringLower(Bytes.Span.Slice(offset, size)));
        if (MrServiceTd is { } service) found.Add("mrservicetd", Convert.ToHexStringLower(service.Span));
        return found;
    }

    private static readonly (string Name, int Offset, int Size)[] Registers =
    [
        ("tee_tcb_svn", 0, 16), ("mrseam", 16, 48), ("mrsignerseam", 64, 48), ("tdattributes", 120, 8), ("xfam", 128, 8), ("mrtd", 136, 48),
        ("mrconfigid", 184, 48), ("mrowner", 232, 48), ("mrownerconfig", 280, 48),
        ("rtmr0", 328, 48), ("rtmr1", 376, 48), ("rtmr2", 424, 48), ("rtmr3", 472, 48),
    ];
}
