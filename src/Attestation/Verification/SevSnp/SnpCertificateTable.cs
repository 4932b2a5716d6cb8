using System.Buffers.Binary;

namespace OpenGradient.Engine.Attestation.Verification.SevSnp;

/// <summary>The certificate table that a host hands to its guests (AMD 56421, extended guest request): {GUID, offset, length}*, then the certificates.</summary>
internal static class SnpCertificateTable
{
    public const int MostBytes = 256 * 1024;

    public const string Vcek = "63da758de6644564adc5f4b93be8accd";
    public const string Vlek = "a8074bc2a25a483eaae639c045a0b8a1";
    public const string Ask = "4ab7b379bbac4fe4a02f05aef327c782";
    public const string Ark = "c0b406a4a803495297433fb6014cd0ae";
    public const string RevocationList = "92f81bc358114d3d97ffd19f88dc67ea";

    private const int EntrySize = 24, MostEntries = 16;

    /// <summary>Certificates by GUID. Null, with a reason, where the table is not one.</summary>
    public static Dictionary<string, ReadOnlyMemory<byte>>? Read(ReadOnlyMemory<byte> table, ReasonList reasons)
    {
        if (table.Length > MostBytes) return Refuse(reasons, AttestationCheck.Size, $"a certificate table of {table.Length} bytes");
        var found = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        for (var at = 0; at <= MostEntries * EntrySize; at += EntrySize)
        {
            if (table.Length - at < EntrySize) return Refuse(reasons, AttestationCheck.Encoding, "the certificate table has no last entry");
            var entry = table.Span.Slice(at, EntrySize);
            if (!entry.ContainsAnyExcept((byte)0)) return found;
            var offset = BinaryPrimitives.ReadUInt32LittleEndian(entry[16..]);
            var length = BinaryPrimitives.ReadUInt32LittleEndian(entry[20..]);
            if (offset < at + EntrySize || length == 0 || offset + (ulong)length > (ulong)table.Length) return Refuse(reasons, AttestationCheck.Encoding, "an entry of the certificate table points outside it");
            if (!found.TryAdd(Convert.ToHexStringLower(entry[..16]), table.Slice((int)offset, (int)length))) return Refuse(reasons, AttestationCheck.Encoding, "the certificate table names one certificate twice");
        }

        return Refuse(reasons, AttestationCheck.Size, $"a certificate table of more than {MostEntries} entries");
    }

    private static Dictionary<string, ReadOnlyMemory<byte>>? Refuse(ReasonList reasons, AttestationCheck check, string detail)
    {
        reasons.Refuse(check, detail);
        return null;
    }
}
