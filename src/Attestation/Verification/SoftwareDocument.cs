using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation;

/// <summary>The software attester's document (docs/formats.md, "Epoch binding and evidence"). Development only.</summary>
/// <param name="ReportData">64 bytes.</param>
/// <param name="Measurement">The build digest.</param>
/// <param name="Time">Seconds since 1970 by the host's clock.</param>
/// <param name="Root">33 bytes, compressed secp256k1.</param>
/// <param name="Signature">64 bytes, r ‖ s.</param>
/// <param name="SignedDigest">What the root signed.</param>
public sealed record SoftwareDocument(
    ReadOnlyMemory<byte> ReportData, Hash256 Measurement, ulong Time, ReadOnlyMemory<byte> Root, ReadOnlyMemory<byte> Signature, Hash256 SignedDigest)
{
    private const int SignedSize = 16 + 64 + 32 + 8 + 33;

    /// <exception cref="FormatException">Not exactly a software document.</exception>
    public static SoftwareDocument Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes, "software document");
        reader.Tag("OGE software v1"u8);
        var reportData = reader.Take(64).ToArray();
        var measurement = reader.Hash();
        var time = reader.U64();
        var root = reader.Take(33).ToArray();
        var signature = reader.Take(64).ToArray();
        reader.End();
        return new SoftwareDocument(reportData, measurement, time, root, signature, Hash256.Sha256(bytes[..SignedSize]));
    }
}
