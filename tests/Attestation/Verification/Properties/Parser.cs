using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using OpenGradient.Engine.Attestation.Tests.Verification.Nitro;
using OpenGradient.Engine.Attestation.Tests.Verification.Nvidia;
using OpenGradient.Engine.Attestation.Tests.Verification.Pki;
using OpenGradient.Engine.Attestation.Tests.Verification.SevSnp;
using OpenGradient.Engine.Attestation.Tests.Verification.Tdx;
using OpenGradient.Engine.Attestation.Tests.Verification.Tpm;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Nitro;
using OpenGradient.Engine.Attestation.Verification.Nvidia;
using OpenGradient.Engine.Attestation.Verification.Pki;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Attestation.Verification.SevSnp;
using OpenGradient.Engine.Attestation.Verification.Tdx;
using OpenGradient.Engine.Attestation.Verification.Tpm;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Properties;

/// <summary>One input that strangers write, asked through the public door that reads it; everything beside it is right.</summary>
/// <param name="Valid">Input that holds.</param>
/// <param name="Holds">Whether input holds. Throws only what it should never throw.</param>
/// <param name="IsSame">Whether other bytes say the same as the valid ones; null: only the same bytes do.</param>
internal sealed record Parser(byte[] Valid, Func<byte[], bool> Holds, Func<byte[], bool>? IsSame = null)
{
    private static readonly Dictionary<string, Lazy<Parser>> All = new()
    {
        ["nitro document"] = new(() => new(MockEnclave.Right.Document(), bytes => Accepted(NitroVerifier.Verify(bytes, MockEnclave.Context())))),
        ["sev-snp report"] = new(SnpReport),
        ["sev-snp certificate table"] = new(SnpTable),
        ["tdx quote"] = new(TdxQuote),
        ["tdx collateral"] = new(TdxCollateral),
        ["tpm evidence"] = new(TpmWhole),
        ["tpm quote"] = new(() => TpmPart((evidence, bytes) => evidence with { Quote = bytes }, evidence => evidence.Quote)),
        ["tpm key"] = new(() => TpmPart((evidence, bytes) => evidence with { Key = bytes }, evidence => evidence.Key)),
        ["tpm signature"] = new(() => TpmPart((evidence, bytes) => evidence with { Signature = bytes }, evidence => evidence.Signature)),
        ["nvidia report"] = new(() => new(MockDevice.Right.Report(), bytes => Accepted(NvidiaVerifier.Verify(bytes, MockDevice.Context())))),
        ["nvidia chain"] = new(NvidiaChain),
        ["nvidia manifest"] = new(NvidiaManifest),
        ["ocsp answer"] = new(() => Answer(MockVendor.RightAnswers["ocsp-boot.der"])),
        ["ocsp answer of a responder"] = new(() => Answer(MockVendor.RightAnswers["ocsp-boot.der"] with { Responder = MockDevice.Maker.Issue("responder", MockAnswer.ResponderShape(MockAnswer.Signing)) })),
        ["certificate"] = new(Certificate),
        ["revocation list"] = new(List),
        ["policy"] = new(Policy),
    };

    public static IEnumerable<string> Names => All.Keys;

    public static Parser Named(string name) => All[name].Value;

    public bool MayHold(byte[] bytes) => bytes.AsSpan().SequenceEqual(Valid) || IsSame?.Invoke(bytes) == true;

    private static bool Accepted(AttestationResult result) => Judged.IsAccepted(result);

    private static Parser SnpReport()
    {
        var scenario = new SnpScenario();
        return new(scenario.Report, bytes => Accepted(Judge(scenario, bytes, null)));
    }

    // Certificates of a host; what is not one of these two is passed over.
    private static Parser SnpTable()
    {
        var scenario = new SnpScenario();
        var table = SevSnpCertificatesTests.Table(("63da758de6644564adc5f4b93be8accd", scenario.Collateral["vcek.der"].ToArray()), ("4ab7b379bbac4fe4a02f05aef327c782", scenario.Pki.Issuer));
        scenario.Collateral.Remove("vcek.der");
        return new(table, bytes => Accepted(Judge(scenario, scenario.Report, bytes)), _ => true);
    }

    private static AttestationResult Judge(SnpScenario scenario, byte[] report, byte[]? table)
    {
        var collateral = new Dictionary<string, ReadOnlyMemory<byte>>(scenario.Collateral);
        if (table is not null) collateral["auxblob.bin"] = table;
        return SevSnpVerifier.Verify(report, new VerificationContext { At = scenario.At, Policy = new EvidencePolicy { SevSnp = scenario.Policy }, Collateral = collateral, ReportData = scenario.ReportData });
    }

    // Zeros behind a quote change nothing.
    private static Parser TdxQuote()
    {
        var mock = new MockTdx();
        var (quote, context) = (mock.MakeQuote(), mock.Context());
        return new(quote, bytes => Accepted(TdxVerifier.Verify(bytes, context)), bytes => bytes.AsSpan().TrimEnd((byte)0).SequenceEqual(quote.AsSpan().TrimEnd((byte)0)));
    }

    // Which of its bytes say something is the reader's own matter: TdxTcbTests and TdxVerifierTests.
    private static Parser TdxCollateral()
    {
        var mock = new MockTdx();
        var (quote, context) = (mock.MakeQuote(), mock.Context());
        AttestationResult With(byte[] bundle) => TdxVerifier.Verify(quote, context with { Collateral = new Dictionary<string, ReadOnlyMemory<byte>> { ["tdx-collateral.json"] = bundle } });
        return new(Encoding.UTF8.GetBytes(mock.MakeBundle()), bytes => Accepted(With(bytes)), _ => true);
    }

    private static Parser TpmWhole()
    {
        var tpm = new MockTpm();
        var context = MockTpm.Context(tpm.Policy());
        return new(tpm.Evidence().Encode(), bytes => Accepted(TpmVerifier.Verify(bytes, context)));
    }

    private static Parser TpmPart(Func<TpmEvidence, byte[], TpmEvidence> with, Func<TpmEvidence, ReadOnlyMemory<byte>> part)
    {
        var tpm = new MockTpm { HasEndorsement = false };
        var (evidence, context) = (tpm.Evidence(), MockTpm.Context(tpm.Policy() with { RequireEndorsement = false }));
        return new(part(evidence).ToArray(), bytes => bytes.Length <= ushort.MaxValue && Accepted(TpmVerifier.Verify(with(evidence, bytes).Encode(), context)));
    }

    // White space and the unused bits of the last letter may differ.
    private static Parser NvidiaChain()
    {
        var (report, context) = (MockDevice.Right.Report(), MockDevice.Context());
        var valid = context.Collateral[NvidiaVerifier.ChainName].ToArray();
        return new(valid, bytes => Accepted(NvidiaVerifier.Verify(report, With(context, NvidiaVerifier.ChainName, bytes))), bytes => Certificates(bytes).SequenceEqual(Certificates(valid)));
    }

    private static Parser NvidiaManifest()
    {
        var (report, context) = (MockVendor.Device.Report(), MockVendor.OnlyDriver.Context(MockVendor.Waiving));
        var valid = context.Collateral[NvidiaVerifier.DriverManifestName].ToArray();
        return new(valid, bytes => Accepted(NvidiaVerifier.Verify(report, With(context, NvidiaVerifier.DriverManifestName, bytes))), bytes => SignedText(bytes) == SignedText(valid));
    }

    // By another's canonical form, whose white space may differ only where nothing is signed. Parsing fails for nothing that was accepted.
    private static string SignedText(byte[] manifest) =>
        string.Concat(Encoding.UTF8.GetString(MockManifest.CanonicalBytes(Encoding.UTF8.GetString(manifest), null)).Where(letter => !char.IsWhiteSpace(letter)));

    private static Parser Answer(MockAnswer answer)
    {
        var vendor = MockVendor.Right.Without("ocsp-signer.der").Without("ocsp-values.der") with { Driver = null, Firmware = null };
        var (report, context) = (MockVendor.Device.Report(), vendor.Context(MockVendor.Policy with { RequireManifests = false }));
        return new(answer.Bytes(), bytes => Accepted(NvidiaVerifier.Verify(report, With(context, "ocsp-boot.der", bytes))));
    }

    private static Parser Certificate()
    {
        var path = MockPath.Make(2);
        return new(path.Certificates[0].ToArray(), bytes => path.With([bytes, path.Certificates[1]]).Check().Count == 0);
    }

    private static Parser List()
    {
        var path = MockPath.Make();
        var issuer = path.Certificate(1);
        return new((new MockList { Issuer = issuer, Signer = (ECDsa)path.Keys[1], Serials = [[0x10], [0x7f, 1]] }).Sign(), bytes =>
        {
            var reasons = new ReasonList();
            RevocationList.Read(bytes, "list", reasons)?.Check(issuer, MockPath.At, "list", reasons);
            return reasons.IsEmpty;
        });
    }

    // Nobody signs a policy: any that can be read is one.
    private static Parser Policy()
    {
        var digest = new string('a', 64);
        var text = $$$"""{"version":1,"nitro":{"roots":["{{{digest}}}"]},"sev-snp":{"products":["Genoa"]},"tdx":{"mrtd":[]},"tpm":{"selection":[7]},"nvidia":{"measurements":{"7":["{{{new string('b', 96)}}}"]},"revocationAgeSeconds":60},"deny":[{"issuer":"{{{digest}}}","serial":"0a"}]}""";
        return new(Encoding.UTF8.GetBytes(text), bytes =>
        {
            try
            {
                return EvidencePolicy.Parse(bytes).Digest == Formats.Hash256.Sha256(bytes);
            }
            catch (PolicyException)
            {
                return false;
            }
        }, _ => true);
    }

    private static VerificationContext With(VerificationContext context, string name, byte[] bytes) =>
        context with { Collateral = new Dictionary<string, ReadOnlyMemory<byte>>(context.Collateral) { [name] = bytes } };

    private static IEnumerable<string> Certificates(byte[] pem)
    {
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPem(Encoding.ASCII.GetString(pem));
        return certificates.Select(certificate => certificate.Thumbprint);
    }
}
