using System.Text.Json.Nodes;
using OpenGradient.Engine.Attestation.Verification.History;
using OpenGradient.Engine.Attestation.Verification.Pki;
using OpenGradient.Engine.Attestation.Verification.Tdx;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Tdx;

using OpenGradient.Engine.Attestation.Verification;

/// <summary>Each check alone: a guest that is accepted, one thing changed and everything signed again.</summary>
public sealed class TdxVerifierTests
{
    private static readonly Dictionary<string, (AttestationCheck Check, Action<MockTdx> Change)> Changes = new()
    {
        ["no-section"] = (AttestationCheck.Kind, mock => mock.Policy = null),
        ["quote-too-large"] = (AttestationCheck.Size, mock => mock.Quote = quote => [.. quote, .. new byte[16 * 1024]]),
        ["trailing-byte"] = (AttestationCheck.Encoding, mock => mock.Quote = quote => [.. quote, 0, 0, 1]),
        ["truncated"] = (AttestationCheck.Encoding, mock => mock.Quote = quote => quote[..^1]),
        ["empty"] = (AttestationCheck.Encoding, mock => mock.Quote = _ => []),
        ["signature-length-plus"] = (AttestationCheck.Encoding, mock => mock.Quote = quote => Add([.. quote, 0], 702, 1)),
        ["qe-length-plus"] = (AttestationCheck.Encoding, mock => mock.Quote = quote => Add(quote, 702 + 4 + 128 + 2, 1)),
        ["qe-data-type"] = (AttestationCheck.Encoding, mock => mock.Quote = quote => Add(quote, 702 + 4 + 128, 1)),
        ["body-size"] = (AttestationCheck.Encoding, mock => mock.Quote = quote => Add(quote, 50, 1)),
        ["chain-two-newlines"] = (AttestationCheck.Encoding, mock => mock.Chain = pem => pem + "\n"),
        ["chain-carriage-returns"] = (AttestationCheck.Encoding, mock => mock.Chain = pem => pem.Replace("\n", "\r\n")),
        ["chain-text-between"] = (AttestationCheck.Encoding, mock => mock.Chain = pem => "x\n" + pem),
        ["chain-without-end"] = (AttestationCheck.Encoding, mock => mock.Chain = pem => pem[..^40]),
        ["version-3"] = (AttestationCheck.Version, mock => mock.Header = header => header[0] = 3),
        ["key-type-3"] = (AttestationCheck.Version, mock => mock.Header = header => header[2] = 3),
        ["tee-type-sgx"] = (AttestationCheck.Version, mock => mock.Header = header => header[4] = 0),
        ["vendor"] = (AttestationCheck.Version, mock => mock.Header = header => header[12] ^= 1),
        ["body-type-4"] = (AttestationCheck.Version, mock => mock.Quote = quote => Add(quote, 48, 1)),
        ["header-reserved"] = (AttestationCheck.Reserved, mock => mock.Header = header => header[8] = 1),
        ["quote-signature"] = (AttestationCheck.Signature, mock => mock.ForeignQuoteSignature = true),
        ["qe-signature"] = (AttestationCheck.Signature, mock => mock.ForeignQeSignature = true),
        ["qe-report-data"] = (AttestationCheck.Key, mock => mock.QeReport = report => report[320] ^= 1),
        ["qe-report-data-tail"] = (AttestationCheck.Key, mock => mock.QeReport = report => report[383] = 1),
        ["pck-name"] = (AttestationCheck.Chain, mock => mock.Intel.PckName = "Mock SGX TCB Signing"),
        ["authority-name"] = (AttestationCheck.Chain, mock => mock.Intel.AuthorityName = "Mock SGX Other CA"),
        ["pck-is-authority"] = (AttestationCheck.Chain, mock => mock.Intel.IsLeafAuthority = true),
        ["pck-without-extension"] = (AttestationCheck.Chain, mock => mock.Intel.HasExtension = false),
        ["pck-extension-field-twice"] = (AttestationCheck.Chain, mock => mock.Intel.RepeatsFmspc = true),
        ["pck-extension-15-components"] = (AttestationCheck.Chain, mock => mock.Intel.Components = new byte[15]),
        ["chain-of-two"] = (AttestationCheck.Chain, mock => mock.Chain = pem => pem[(pem.IndexOf("-----END", StringComparison.Ordinal) + 26)..]),
        ["pck-expired"] = (AttestationCheck.ChainTime, mock => mock.Intel.PckUntil = MockIntel.Now.AddSeconds(-1)),
        ["pck-revoked"] = (AttestationCheck.Revoked, mock => mock.Intel.RevokesPck = true),
        ["authority-revoked"] = (AttestationCheck.Revoked, mock => mock.Intel.RevokesAuthority = true),
        ["signer-revoked"] = (AttestationCheck.Revoked, mock => mock.Intel.RevokesSigner = true),
        ["pck-denied"] = (AttestationCheck.Revoked, mock => mock.Denied = DeniesPck(mock)),
        ["pck-list-late"] = (AttestationCheck.Revocation, mock => mock.Intel.PckListUntil = MockIntel.Now.AddSeconds(-1)),
        ["root-list-late"] = (AttestationCheck.Revocation, mock => mock.Intel.RootListUntil = MockIntel.Now.AddSeconds(-1)),
        ["lists-early"] = (AttestationCheck.Revocation, mock => mock.Intel.ListFrom = MockIntel.Now.AddSeconds(1)),
        ["pck-list-of-another"] = (AttestationCheck.Revocation, mock => mock.Intel.PckListByOther = true),
        ["pck-list-no-list"] = (AttestationCheck.Revocation, mock => mock.Bundle = json => Member(json, "pck_crl", "3000")),
        ["bundle-no-json"] = (AttestationCheck.Collateral, mock => mock.Bundle = json => json[1..]),
        ["bundle-member-twice"] = (AttestationCheck.Collateral, mock => mock.Bundle = json => json.Replace("{\"tcb_info\":", "{\"pck_crl\":\"\",\"tcb_info\":")),
        ["bundle-member-missing"] = (AttestationCheck.Collateral, mock => mock.Bundle = json => json.Replace("\"pck_crl\"", "\"pck_crI\"")),
        ["bundle-odd-hexadecimal"] = (AttestationCheck.Collateral, mock => mock.Bundle = json => Member(json, "root_ca_crl", "300")),
        ["bundle-too-large"] = (AttestationCheck.Size, mock => mock.Bundle = json => json + new string(' ', 5 * 1024 * 1024)),
        ["info-signature"] = (AttestationCheck.Collateral, mock => mock.Bundle = json => Member(json, "tcb_info_signature", new string('1', 128))),
        ["info-signature-short"] = (AttestationCheck.Collateral, mock => mock.Bundle = json => Member(json, "tcb_info_signature", "00")),
        ["identity-signature"] = (AttestationCheck.Collateral, mock => mock.Bundle = json => Member(json, "qe_identity_signature", new string('1', 128))),
        ["signer-name"] = (AttestationCheck.Collateral, mock => mock.Intel.SignerName = "Mock SGX PCK Certificate"),
        ["signer-of-another-root"] = (AttestationCheck.Collateral, ForeignRoot),
        ["info-late"] = (AttestationCheck.Collateral, mock => mock.NextUpdate = MockIntel.Now.AddSeconds(-1)),
        ["info-early"] = (AttestationCheck.Collateral, mock => mock.Issued = MockIntel.Now.AddSeconds(1)),
        ["info-member-twice"] = (AttestationCheck.Collateral, mock => mock.TcbInfo = json => json.Replace("{\"id\":\"TDX\"", "{\"id\":\"TDX\",\"id\":\"TDX\"")),
        ["info-for-sgx"] = (AttestationCheck.Collateral, mock => mock.TcbInfo = json => json.Replace("{\"id\":\"TDX\"", "{\"id\":\"SGX\"")),
        ["info-version-2"] = (AttestationCheck.Collateral, mock => mock.TcbInfo = json => json.Replace("\"version\":3", "\"version\":2")),
        ["info-tcb-type-1"] = (AttestationCheck.Collateral, mock => mock.TcbInfo = json => json.Replace("\"tcbType\":0", "\"tcbType\":1")),
        ["info-15-components"] = (AttestationCheck.Collateral, mock => mock.TcbInfo = json => json.Replace(",{\"svn\":0}]},", "]},")),
        ["info-unknown-status"] = (AttestationCheck.Collateral, mock => mock.TcbInfo = json => json.Replace("\"Revoked\"", "\"Fine\"")),
        ["info-component-256"] = (AttestationCheck.Collateral, mock => mock.TcbInfo = json => json.Replace("{\"svn\":5}", "{\"svn\":256}")),
        ["info-module-twice"] = (AttestationCheck.Collateral, mock => mock.TcbInfo = json => json.Replace("TDX_03", "TDX_01")),
        ["info-level-twice"] = (AttestationCheck.Collateral, mock => mock.TcbInfo = json => FirstLevelTwice(json, info => info)),
        ["info-module-level-twice"] = (AttestationCheck.Collateral, mock => mock.TcbInfo = json => FirstLevelTwice(json, info => info["tdxModuleIdentities"]![1]!)),
        ["identity-level-twice"] = (AttestationCheck.Collateral, mock => mock.QeIdentity = json => FirstLevelTwice(json, identity => identity)),
        ["info-time-with-offset"] = (AttestationCheck.Collateral, mock => mock.TcbInfo = json => json.Replace("Z\",\"fmspc\"", "+00:00\",\"fmspc\"")),
        ["info-of-another-family"] = (AttestationCheck.Collateral, mock => mock.InfoFmspc = "60806F000000"),
        ["info-of-another-pce"] = (AttestationCheck.Collateral, mock => mock.Intel.PceId = [1, 0]),
        ["identity-of-sgx-qe"] = (AttestationCheck.Collateral, mock => mock.QeIdentity = json => json.Replace("TD_QE", "QE")),
        ["identity-version-1"] = (AttestationCheck.Collateral, mock => mock.QeIdentity = json => json.Replace("\"version\":2", "\"version\":1")),
        ["evaluation-number"] = (AttestationCheck.Collateral, mock => mock.Policy = mock.Policy! with { LeastEvaluationNumber = 19 }),
        ["evaluation-number-fell"] = (AttestationCheck.Collateral, mock => mock.History = Saw("tdx tcb 50806f000000", 19)),
        ["identity-fell"] = (AttestationCheck.Collateral, mock => mock.History = Saw("tdx qe identity", 19)),
        ["qe-miscselect"] = (AttestationCheck.Platform, mock => mock.QeReport = report => report[16] = 1),
        ["qe-debug"] = (AttestationCheck.Platform, mock => mock.QeReport = report => report[48] |= 2),
        ["qe-signer"] = (AttestationCheck.Platform, mock => mock.QeReport = report => report[128] ^= 1),
        ["qe-product"] = (AttestationCheck.Platform, mock => mock.QeReport = report => report[256] = 1),
        ["module-signer"] = (AttestationCheck.Platform, mock => mock.Body = body => body[64] = 1),
        ["module-attributes"] = (AttestationCheck.Platform, mock => mock.Body = body => body[112] = 1),
        ["processor-not-named"] = (AttestationCheck.Platform, mock => mock.Policy = mock.Policy! with { Platforms = [MockTdx.Hex(1, 16)] }),
        ["platform-of-standard-memory"] = (AttestationCheck.Platform, mock => mock.Intel.Type = MockIntel.Kind.Standard),
        ["platform-without-integrity"] = (AttestationCheck.Platform, mock => mock.Policy = mock.Policy! with { SgxTypes = [SgxType.ScalableWithIntegrity] }),
        ["platform-dynamic"] = (AttestationCheck.Platform, mock => (mock.Intel.Flags, mock.Policy) = ([true, false, false], mock.Policy! with { DynamicPlatform = false })),
        ["platform-with-cached-keys"] = (AttestationCheck.Platform, mock => (mock.Intel.Flags, mock.Policy) = ([false, true, false], mock.Policy! with { CachedKeys = false })),
        ["platform-with-smt"] = (AttestationCheck.Platform, mock => (mock.Intel.Flags, mock.Policy) = ([false, false, true], mock.Policy! with { Smt = false })),
        ["pck-type-unknown"] = (AttestationCheck.Chain, mock => mock.Intel.Type = MockIntel.Kind.Unknown),
        ["platform-out-of-date"] = (AttestationCheck.Tcb, mock => mock.Intel.Components[15] = 2),
        ["platform-below-all"] = (AttestationCheck.Tcb, mock => mock.Intel.Components[0] = 1),
        ["pce-out-of-date"] = (AttestationCheck.Tcb, mock => mock.Intel.PceSvn = 12),
        ["pce-below-all"] = (AttestationCheck.Tcb, mock => mock.Intel.PceSvn = 4),
        ["tdx-component-below"] = (AttestationCheck.Tcb, mock => (mock.Svn, mock.Svn2) = (MockTdx.Numbers(7, 1, 1), MockTdx.Numbers(7, 1, 1))),
        ["module-out-of-date"] = (AttestationCheck.Tcb, mock => (mock.Svn, mock.Svn2) = (MockTdx.Numbers(5, 1, 3), MockTdx.Numbers(5, 1, 3))),
        ["module-below-all"] = (AttestationCheck.Tcb, mock => mock.Svn = MockTdx.Numbers(2, 1, 3)),
        ["module-revoked"] = (AttestationCheck.Tcb, mock => mock.Svn = MockTdx.Numbers(3, 1, 3)),
        ["current-module-unknown"] = (AttestationCheck.Tcb, mock => mock.Svn2 = MockTdx.Numbers(7, 9, 3)),
        ["qe-out-of-date"] = (AttestationCheck.Tcb, mock => mock.QeReport = report => report[258] = 3),
        ["qe-below-all"] = (AttestationCheck.Tcb, mock => mock.QeReport = report => report[258] = 1),
        ["debug"] = (AttestationCheck.Debug, mock => mock.Body = body => body[120] = 1),
        ["attribute-unknown-low"] = (AttestationCheck.Reserved, mock => mock.Body = body => body[120] = 2),
        ["attribute-unknown-high"] = (AttestationCheck.Reserved, mock => mock.Body = body => body[127] = 1),
        ["feature-unknown"] = (AttestationCheck.Reserved, mock => mock.Body = body => body[130] |= 0x08),
        ["feature-of-supervisors"] = (AttestationCheck.Reserved, mock => mock.Body = body => body[129] |= 0x04),
        ["feature-x87-off"] = (AttestationCheck.Reserved, mock => mock.Body = body => body[128] &= 0xfe),
        ["feature-half-of-avx512"] = (AttestationCheck.Reserved, mock => mock.Body = body => body[128] &= 0x7f),
        ["feature-avx512-without-avx"] = (AttestationCheck.Reserved, mock => mock.Body = body => body[128] &= 0xfb),
        ["feature-half-of-amx"] = (AttestationCheck.Reserved, mock => mock.Body = body => body[130] &= 0xfb),
        ["feature-half-of-cet"] = (AttestationCheck.Reserved, mock => mock.Body = body => body[129] |= 0x08),
        ["sept-ve-enabled"] = (AttestationCheck.Guest, mock => mock.Body = body => body[123] = 0),
        ["migratable"] = (AttestationCheck.Guest, mock => mock.Body = body => body[123] |= 0x20),
        ["service-td"] = (AttestationCheck.Guest, mock => mock.Body = body => body[647] = 1),
        ["protection-keys-forbidden"] = (AttestationCheck.Guest, ForbiddenProtectionKeys),
        ["key-locker"] = (AttestationCheck.Guest, mock => mock.Body = body => body[123] |= 0x80),
        ["performance-counters"] = (AttestationCheck.Guest, mock => mock.Body = body => body[127] |= 0x80),
        ["mrtd-not-named"] = (AttestationCheck.Measurement, mock => mock.Body = body => body[136] ^= 1),
        ["mrtd-list-empty"] = (AttestationCheck.Measurement, mock => mock.Policy = mock.Policy! with { MrTd = [] }),
        ["mrtd-zero"] = (AttestationCheck.Measurement, ZeroMrTd),
        ["rtmr0"] = (AttestationCheck.Measurement, mock => mock.Policy = mock.Policy! with { Rtmr0 = [MockTdx.Hex(1, 48)] }),
        ["rtmr1"] = (AttestationCheck.Measurement, mock => mock.Policy = mock.Policy! with { Rtmr1 = [MockTdx.Hex(1, 48)] }),
        ["rtmr2"] = (AttestationCheck.Measurement, mock => mock.Policy = mock.Policy! with { Rtmr2 = [MockTdx.Hex(1, 48)] }),
        ["rtmr3"] = (AttestationCheck.Measurement, mock => mock.Policy = mock.Policy! with { Rtmr3 = [MockTdx.Hex(1, 48)] }),
        ["mrseam"] = (AttestationCheck.Measurement, mock => mock.Policy = mock.Policy! with { MrSeam = [MockTdx.Hex(1, 48)] }),
        ["mrconfigid"] = (AttestationCheck.Measurement, mock => mock.Policy = mock.Policy! with { MrConfigId = [MockTdx.Hex(1, 48)] }),
        ["mrowner"] = (AttestationCheck.Measurement, mock => mock.Policy = mock.Policy! with { MrOwner = [MockTdx.Hex(1, 48)] }),
        ["mrownerconfig"] = (AttestationCheck.Measurement, mock => mock.Policy = mock.Policy! with { MrOwnerConfig = [MockTdx.Hex(1, 48)] }),
        ["xfam"] = (AttestationCheck.Measurement, mock => mock.Policy = mock.Policy! with { Xfam = [MockTdx.Hex(1, 8)] }),
        ["report-data"] = (AttestationCheck.ReportData, mock => mock.ReportData = new byte[64]),
        ["report-data-short"] = (AttestationCheck.ReportData, mock => mock.ReportData = Bytes(0xda, 63)),
        ["nonce"] = (AttestationCheck.Nonce, mock => mock.Nonce = new byte[32]),
        ["nonce-prefix-only"] = (AttestationCheck.Nonce, mock => mock.Nonce = Bytes(0xda, 32)),
        ["nonce-empty"] = (AttestationCheck.Nonce, mock => mock.Nonce = Array.Empty<byte>()),
    };

    internal static IEnumerable<(string Name, AttestationCheck Check)> Cases => Changes.Select(entry => (entry.Key, entry.Value.Check));

    public static TheoryData<string> Names => [.. Changes.Keys];

    [Theory]
    [InlineData(4, 2)]
    [InlineData(5, 2)]
    [InlineData(5, 3)]
    public void Verify_GoodGuest_IsAccepted(int version, int type)
    {
        var mock = new MockTdx { Version = version, BodyType = type, ReportData = Bytes(0xda, 64) };

        var result = mock.Verify();

        Assert.Empty(result.Reasons);
        Assert.Equal(AttestationStatus.Accepted, result.Status);
        Assert.Equal("UpToDate", result.Claims!.Tcb);
        Assert.Equal(type == 3 ? "TDX 1.5" : "TDX 1.0", result.Claims.Product);
        Assert.Equal(MockTdx.Hex(0x4d, 48), result.Claims.Measurements["mrtd"]);
        Assert.Equal(MockTdx.Hex(0xa3, 48), result.Claims.Measurements["rtmr3"]);
        Assert.Equal("0102030405060708090a0b0c0d0e0f10", result.Claims.Chip);
        Assert.False(result.Claims.IsDebug);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Verify_OneThingWrong_IsRefusedForThatAlone(string name)
    {
        var mock = new MockTdx();
        Changes[name].Change(mock);

        var result = mock.Verify();

        Assert.Equal(AttestationStatus.Refused, result.Status);
        Assert.Equal([Changes[name].Check], result.Reasons.Select(reason => reason.Check).Distinct());
    }

    [Fact]
    public void Verify_UnpinnedRoot_IsRefused()
    {
        var mock = new MockTdx { HasCollateral = false };
        mock.Policy = mock.Policy! with { Roots = [TdxPolicy.IntelRoot] };

        var result = mock.Verify();

        Assert.Equal(AttestationStatus.Refused, result.Status);
        Assert.Equal([AttestationCheck.Root, AttestationCheck.Collateral], result.Reasons.Select(reason => reason.Check));
        Assert.Null(result.Claims);
    }

    [Fact]
    public void Verify_NoCollateral_IsUnverifiable()
    {
        var result = new MockTdx { HasCollateral = false }.Verify();

        Assert.Equal(AttestationStatus.Unverifiable, result.Status);
        Assert.Equal([AttestationCheck.Collateral], result.Reasons.Select(reason => reason.Check));
        Assert.NotNull(result.Claims);
    }

    [Fact]
    public void Verify_NoCollateralAndDebug_IsRefused() =>
        Assert.Equal(AttestationStatus.Refused, new MockTdx { HasCollateral = false, Body = body => body[120] = 1 }.Verify().Status);

    [Fact]
    public void Verify_PlatformThatSaysNothingOfItsMaking_IsUnverifiableWhereThePolicyAsks()
    {
        var mock = new MockTdx();
        mock.Intel.Flags = null;
        Assert.Empty(mock.Verify().Reasons);
        mock.Policy = mock.Policy! with { DynamicPlatform = false, CachedKeys = false, Smt = false };

        var result = mock.Verify();

        Assert.Equal(AttestationStatus.Unverifiable, result.Status);
        Assert.Equal([AttestationCheck.Platform, AttestationCheck.Platform, AttestationCheck.Platform], result.Reasons.Select(reason => reason.Check));
    }

    [Fact]
    public void Verify_ServicesOwnFiles_AreAccepted() => Assert.Empty(new MockTdx { Separate = true }.Verify().Reasons);

    [Fact]
    public void Verify_ZerosBehindAndNulAfterChain_AreAccepted() =>
        Assert.Empty(new MockTdx { Quote = quote => [.. quote, .. new byte[3000]], Chain = pem => pem + "\0" }.Verify().Reasons);

    [Fact]
    public void Verify_NonceBeforeZeros_IsAccepted()
    {
        var mock = new MockTdx { Nonce = Bytes(7, 32) };
        mock.Body = body =>
        {
            body.AsSpan(520, 64).Clear();
            body.AsSpan(520, 32).Fill(7);
        };

        Assert.Empty(mock.Verify().Reasons);
    }

    [Fact]
    public void Verify_AllowedByPolicy_IsAccepted()
    {
        var mock = new MockTdx { Body = body => (body[120], body[123], body[127], body[647]) = (1, 0xe0, 0x80, 1) };
        mock.Policy = mock.Policy! with { Debug = true, SeptVeDisable = false, Migratable = true, KeyLocker = true, Perfmon = true, AnyMeasurement = true, MrTd = [] };

        var result = mock.Verify();

        Assert.Empty(result.Reasons);
        Assert.True(result.Claims!.IsDebug);
    }

    [Fact]
    public void Verify_SecondSignatureOverTheSameBody_IsTheSameEvidence()
    {
        var mock = new MockTdx();
        byte[] first = mock.MakeQuote(), second = mock.MakeQuote();

        Assert.NotEqual(first, second);
        Assert.Equal(mock.Verify(first).Identity, mock.Verify(second).Identity);
    }

    private static byte[] Bytes(byte value, int count) => [.. Enumerable.Repeat(value, count)];

    private static byte[] Add(byte[] bytes, int offset, byte more)
    {
        bytes[offset] += more;
        return bytes;
    }

    private static string Member(string json, string name, string value)
    {
        var start = json.IndexOf($"\"{name}\":\"", StringComparison.Ordinal) + name.Length + 4;
        return json[..start] + value + json[json.IndexOf('"', start)..];
    }

    // With another state, so that the order would decide which of the two holds.
    private static string FirstLevelTwice(string json, Func<JsonNode, JsonNode> at)
    {
        var root = JsonNode.Parse(json)!;
        var levels = at(root)["tcbLevels"]!.AsArray();
        levels.Add(levels[0]!.DeepClone());
        levels[^1]!["tcbStatus"] = "OutOfDate";
        return root.ToJsonString();
    }

    private static void ForeignRoot(MockTdx mock)
    {
        mock.ForeignSignerRoot = true;
        mock.Policy = mock.Policy! with { Roots = [MockIntel.Digest(MockIntel.Root), MockIntel.Digest(MockIntel.OtherRoot)] };
    }

    private static void ForbiddenProtectionKeys(MockTdx mock)
    {
        mock.Body = body => body[123] |= 0x40;
        mock.Policy = mock.Policy! with { ProtectionKeys = false };
    }

    private static void ZeroMrTd(MockTdx mock)
    {
        mock.Body = body => body.AsSpan(136, 48).Clear();
        mock.Policy = mock.Policy! with { MrTd = [MockTdx.Hex(0, 48)] };
    }

    private static CollateralLedger Saw(string name, int number)
    {
        var ledger = new CollateralLedger();
        Assert.True(ledger.See(name, number, MockIntel.Now.AddDays(-20)));
        return ledger;
    }

    private static DenyList DeniesPck(MockTdx mock)
    {
        using var pck = mock.Intel.Pck(mock.Intel.Authority());
        var issuer = System.Security.Cryptography.SHA256.HashData(pck.IssuerName.RawData);
        return new DenyList([(Convert.ToHexStringLower(issuer), pck.SerialNumber.ToLowerInvariant())]);
    }
}
