using System.Buffers.Binary;

namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>The quoting enclave's own report (sgx_report_body_t), signed by the platform's certification key.</summary>
/// <param name="Bytes">384 bytes.</param>
internal sealed record QeReport(ReadOnlyMemory<byte> Bytes)
{
    public const int Size = 384;

    public ReadOnlyMemory<byte> MiscSelect => Bytes.Slice(16, 4);

    public ReadOnlyMemory<byte> Attributes => Bytes.Slice(48, 16);

    public ReadOnlyMemory<byte> MrSigner => Bytes.Slice(128, 32);

    public int ProductId => BinaryPrimitives.ReadUInt16LittleEndian(Bytes.Span[256..]);

    public int Svn => BinaryPrimitives.ReadUInt16LittleEndian(Bytes.Span[258..]);

    public ReadOnlyMemory<byte> ReportData => Bytes.Slice(320, 64);
}
