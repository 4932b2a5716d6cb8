using System.Security.Cryptography;
using System.Text;

namespace OpenGradient.Engine.Attestation.Verification.SevSnp;

/// <summary>Certificates and revocation list that belong to a report, found by their names. Nothing is trusted for its name.</summary>
internal sealed record SnpCollateral
{
    private const int MostCertificate = 16 * 1024, MostList = 1024 * 1024;

    private const string Certificate = "CERTIFICATE", List = "X509 CRL";

    public ReadOnlyMemory<byte>? Leaf { get; private init; }

    public ReadOnlyMemory<byte>? Intermediate { get; private init; }

    public ReadOnlyMemory<byte>? Root { get; private init; }

    public ReadOnlyMemory<byte>? RevocationList { get; private init; }

    /// <summary>Looks for the certificates of the named signer; where only the other signer's leaf is there, that one is taken, and its name will not agree.</summary>
    /// <param name="files">The caller's. They go before the host's table.</param>
    /// <param name="hostTable">What came with the report; empty: nothing did.</param>
    /// <param name="signer">Which key the report says signed it.</param>
    /// <param name="reasons">What cannot be read.</param>
    public static SnpCollateral Find(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, ReadOnlyMemory<byte> hostTable, SnpSigner signer, ReasonList reasons)
    {
        var table = files.TryGetValue("auxblob.bin", out var bytes) ? SnpCertificateTable.Read(bytes, reasons) : null;
        var host = hostTable.IsEmpty ? null : SnpCertificateTable.Read(hostTable, reasons);
        if (host is { Count: 0 }) reasons.Refuse(AttestationCheck.Encoding, "what is behind the report is a table without a certificate");
        var chain = files.TryGetValue("cert_chain.pem", out var pem) ? Chain(pem, reasons) : null;
        var isVlek = signer == SnpSigner.Vlek;
        var vcek = One("vcek", SnpCertificateTable.Vcek);
        var vlek = One("vlek", SnpCertificateTable.Vlek);
        var ask = One("ask", SnpCertificateTable.Ask);
        var asvk = One("asvk", null);
        return new SnpCollateral
        {
            Leaf = (isVlek ? vlek ?? vcek : vcek ?? vlek) ?? (isVlek ? Hosts(SnpCertificateTable.Vlek) ?? Hosts(SnpCertificateTable.Vcek) : Hosts(SnpCertificateTable.Vcek) ?? Hosts(SnpCertificateTable.Vlek)),
            Intermediate = (isVlek ? asvk ?? ask : ask ?? asvk) ?? chain?[0] ?? Hosts(SnpCertificateTable.Ask),
            Root = One("ark", SnpCertificateTable.Ark) ?? chain?[1] ?? Hosts(SnpCertificateTable.Ark),
            RevocationList = One("crl", SnpCertificateTable.RevocationList, List, MostList) ?? Hosts(SnpCertificateTable.RevocationList, List, MostList),
        };

        ReadOnlyMemory<byte>? Hosts(string guid, string label = Certificate, int most = MostCertificate) =>
            host is not null && host.TryGetValue(guid, out var file) ? Der(file, label, most, "the host's certificate or list", reasons) : null;

        ReadOnlyMemory<byte>? One(string stem, string? guid, string label = Certificate, int most = MostCertificate)
        {
            if (!files.TryGetValue(stem + ".der", out var file) && !files.TryGetValue(stem + ".pem", out file)
                && (guid is null || table is null || !table.TryGetValue(guid, out file))) return null;
            return Der(file, label, most, stem, reasons);
        }
    }

    // What AMD serves as "cert_chain": the intermediate, then the root.
    private static ReadOnlyMemory<byte>[]? Chain(ReadOnlyMemory<byte> pem, ReasonList reasons)
    {
        if (pem.Length > 2 * MostCertificate)
        {
            reasons.Refuse(AttestationCheck.Size, $"cert_chain.pem has {pem.Length} bytes");
            return null;
        }

        var blocks = Blocks(pem.Span, Certificate, 3);
        if (blocks is [_, _]) return [blocks[0], blocks[1]];
        reasons.Refuse(AttestationCheck.Encoding, "cert_chain.pem is not two certificates");
        return null;
    }

    // A DER certificate or list is a SEQUENCE; anything else must be PEM.
    private static ReadOnlyMemory<byte>? Der(ReadOnlyMemory<byte> file, string label, int most, string stem, ReasonList reasons)
    {
        if (file.Length > most)
        {
            reasons.Refuse(AttestationCheck.Size, $"{stem} has {file.Length} bytes");
            return null;
        }

        if (!file.IsEmpty && file.Span[0] == 0x30) return file;
        if (Blocks(file.Span, label, 2) is [var only]) return only;
        reasons.Refuse(AttestationCheck.Encoding, $"{stem} is neither DER nor one PEM block");
        return null;
    }

    private static List<byte[]> Blocks(ReadOnlySpan<byte> pem, string label, int most)
    {
        var text = Encoding.Latin1.GetString(pem).AsSpan();
        var blocks = new List<byte[]>();
        while (blocks.Count < most && PemEncoding.TryFind(text, out var fields))
        {
            var (start, _) = fields.Location.GetOffsetAndLength(text.Length);
            if (!text[..start].Trim().IsEmpty || !text[fields.Label].SequenceEqual(label)) return [];
            blocks.Add(Convert.FromBase64String(text[fields.Base64Data].ToString()));
            text = text[fields.Location.End..];
        }

        return text.Trim().IsEmpty ? blocks : [];
    }
}
