using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>A JSON member as its vendor signed it.</summary>
/// <param name="Json">The exact bytes.</param>
/// <param name="Signature">64 bytes, r ‖ s.</param>
/// <param name="Certificates">The signer and its root.</param>
internal sealed record SignedJson(ReadOnlyMemory<byte> Json, ReadOnlyMemory<byte> Signature, IReadOnlyList<ReadOnlyMemory<byte>> Certificates);

/// <summary>What Intel says of platforms, as the caller got it. Read, not yet judged.</summary>
/// <param name="RootCrl">DER.</param>
/// <param name="PckCrl">DER.</param>
internal sealed record TdxCollateral(SignedJson TcbInfo, SignedJson QeIdentity, ReadOnlyMemory<byte> RootCrl, ReadOnlyMemory<byte> PckCrl)
{
    public const string Bundle = "tdx-collateral.json";

    private const string TcbInfoFile = "tcb-info.json", QeIdentityFile = "qe-identity.json", TcbInfoChain = "tcb-info-chain.pem";
    private const string QeIdentityChain = "qe-identity-chain.pem", RootCrlFile = "root-ca.crl", PckCrlFile = "pck.crl";
    private const int MostBytes = 4 * 1024 * 1024, SignatureSize = 64;

    private static readonly string[] Files = [TcbInfoFile, TcbInfoChain, QeIdentityFile, QeIdentityChain, RootCrlFile, PckCrlFile];
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <summary>One bundle, or the files of Intel's service one by one. A folder with a single file beside an event log is a bundle under any name.</summary>
    /// <returns>Null, with the reasons, where something is missing or cannot be read.</returns>
    public static TdxCollateral? Read(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, ReasonList reasons)
    {
        var hasBundle = files.TryGetValue(Bundle, out var bundle);
        if (!hasBundle && Only(files) is { } single) (hasBundle, bundle) = (true, files[single]);
        string[] missing = hasBundle ? [] : [.. Files.Where(name => !files.ContainsKey(name))];
        if (missing.Length > 0)
        {
            reasons.Miss(AttestationCheck.Collateral, $"missing: {string.Join(", ", missing)}; or all in one {Bundle}");
            return null;
        }

        if (Files.Where(files.ContainsKey).Select(name => files[name].Length).Append(bundle.Length).Any(size => size > MostBytes))
        {
            reasons.Refuse(AttestationCheck.Size, $"collateral of more than {MostBytes} bytes");
            return null;
        }

        try
        {
            return hasBundle ? FromBundle(bundle) : FromFiles(files);
        }
        catch (Exception error) when (error is FormatException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            reasons.Refuse(AttestationCheck.Collateral, "unreadable: " + error.Message);
            return null;
        }
    }

    // The name of the one file that is no event log, where it is none of the service's own either.
    private static string? Only(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files)
    {
        string[] others = [.. files.Keys.Where(name => name != TdxEventLog.FileName).Take(2)];
        return others is [var single] && !Files.Contains(single) ? single : null;
    }

    // The members of dcap-qvl's QuoteCollateralV3: JSON and PEM as strings, the rest in hexadecimal.
    private static TdxCollateral FromBundle(ReadOnlyMemory<byte> bundle)
    {
        using var document = JsonDocument.Parse(bundle, Strict);
        var root = document.RootElement;
        return new TdxCollateral(
            Signed("tcb_info"), Signed("qe_identity"), Convert.FromHexString(Text("root_ca_crl")), Convert.FromHexString(Text("pck_crl")));

        string Text(string name) => root.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null");

        SignedJson Signed(string name) => new(
            Encoding.UTF8.GetBytes(Text(name)), Signature(Text(name + "_signature")),
            PemChain.Read(Encoding.UTF8.GetBytes(Text(name + "_issuer_chain")), inQuote: false));
    }

    private static TdxCollateral FromFiles(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files) => new(
        FromService(files[TcbInfoFile], "tcbInfo", files[TcbInfoChain]), FromService(files[QeIdentityFile], "enclaveIdentity", files[QeIdentityChain]),
        files[RootCrlFile].ToArray(), files[PckCrlFile].ToArray());

    // {"tcbInfo":{…},"signature":"hex"}: the signature is over the member's bytes as they stand here, not over a second writing of them.
    private static SignedJson FromService(ReadOnlyMemory<byte> answer, string member, ReadOnlyMemory<byte> chain)
    {
        using var document = JsonDocument.Parse(answer, Strict);
        var signed = JsonMarshal.GetRawUtf8Value(document.RootElement.GetProperty(member)).ToArray();
        var signature = document.RootElement.GetProperty("signature").GetString() ?? throw new FormatException("signature is null");
        return new SignedJson(signed, Signature(signature), PemChain.Read(chain.Span, inQuote: false));
    }

    private static byte[] Signature(string hex) => hex.Length == SignatureSize * 2
        ? Convert.FromHexString(hex)
        : throw new FormatException($"a signature of {hex.Length} letters");
}
