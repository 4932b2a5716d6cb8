using System.Security.Cryptography;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Tpm;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Tpm;

/// <summary>End to end: the shim's attester quotes a swtpm, the verifier judges what it made.</summary>
public sealed class SoftwareTpmTests : IDisposable
{
    private static readonly byte[] Measured = SHA256.HashData("firmware"u8);

    private readonly SoftwareTpm _tpm;
    private readonly TpmPolicy _policy;

    public SoftwareTpmTests()
    {
        if (SoftwareTpm.Missing is not null)
        {
            (_tpm, _policy) = (null!, null!);
            return;
        }

        _tpm = new SoftwareTpm();
        _tpm.Extend(7, Measured);
        _tpm.Endorse(new MockTpm().MakeEndorsement());
        _policy = new TpmPolicy
        {
            Roots = [Convert.ToHexStringLower(SHA256.HashData(MockTpm.Root.RawData))], Keys = [NameOf(_tpm.Document(new byte[64]))],
            Registers = new Dictionary<int, IReadOnlyList<string>> { [7] = [Convert.ToHexStringLower(SHA256.HashData([.. new byte[32], .. Measured]))] },
        };
    }

    public void Dispose() => _tpm?.Dispose();

    private static string NameOf(byte[] document) => "000b" + Convert.ToHexStringLower(SHA256.HashData(TpmEvidence.Decode(document).Key.Span));

    private static byte[] Fresh() => [.. RandomNumberGenerator.GetBytes(32), .. new byte[32]];

    private AttestationResult Judge(byte[] document, byte[] reportData, TpmPolicy? policy = null)
    {
        var issuers = System.Text.Encoding.ASCII.GetBytes(MockTpm.Root.ExportCertificatePem());
        return TpmVerifier.Verify(document, MockTpm.Context(policy ?? _policy) with
        {
            Nonce = reportData.AsMemory(0, 32), ReportData = reportData, Collateral = new Dictionary<string, ReadOnlyMemory<byte>> { ["tpm-ek-issuers.pem"] = issuers },
        });
    }

    private static void AssertRefused(AttestationResult result, params AttestationCheck[] checks)
    {
        Assert.Equal(AttestationStatus.Refused, result.Status);
        Assert.Equal(checks, result.Reasons.Select(reason => reason.Check));
    }

    [SoftwareTpmFact]
    public void Quote_OverAFreshNonce_IsAccepted()
    {
        var data = Fresh();
        var result = Judge(_tpm.Document(data), data);
        Assert.Empty(result.Reasons);
        Assert.Equal(AttestationStatus.Accepted, result.Status);
    }

    // The library below prints errors of its own where it is asked for what is not there.
    [SoftwareTpmFact]
    public void Quote_OfATpmWithoutCertificate_HasNoneAndPrintsNothing()
    {
        using var bare = new SoftwareTpm();

        Assert.Empty(TpmEvidence.Decode(bare.Document(Fresh())).Endorsement);
        Assert.Equal("", bare.LastPrinted);
    }

    [SoftwareTpmFact]
    public void Quote_ReplayedForAnotherNonce_IsRefused()
    {
        var (first, second) = (Fresh(), Fresh());
        var document = _tpm.Document(first);
        Assert.Empty(Judge(document, first).Reasons);
        AssertRefused(Judge(document, second), AttestationCheck.Nonce, AttestationCheck.ReportData);
    }

    [SoftwareTpmFact]
    public void Quote_AfterAnotherMeasurement_IsRefused()
    {
        var data = Fresh();
        _tpm.Extend(7, Measured);
        AssertRefused(Judge(_tpm.Document(data), data), AttestationCheck.Measurement);
    }

    [SoftwareTpmFact]
    public void Quote_WithRegistersOfBefore_IsRefused()
    {
        var data = Fresh();
        var before = TpmEvidence.Decode(_tpm.Document(data)).Registers;
        _tpm.Extend(7, Measured);
        AssertRefused(Judge((TpmEvidence.Decode(_tpm.Document(data)) with { Registers = before }).Encode(), data), AttestationCheck.Measurement);
    }

    [SoftwareTpmFact]
    public void Quote_WithTheFirmwaresLog_IsAcceptedWhereItReplays()
    {
        var data = Fresh();
        var asks = _policy with { RequireEventLog = true };
        var right = _tpm.Document(data, _tpm.Write("log", TpmEventLogTests.LogOf(7, Measured)));
        var wrong = _tpm.Document(data, _tpm.Write("other", TpmEventLogTests.LogOf(7, SHA256.HashData("another"u8))));

        Assert.Empty(Judge(right, data, asks).Reasons);
        AssertRefused(Judge(wrong, data, asks), AttestationCheck.EventLog);
        Assert.Equal(AttestationStatus.Unverifiable, Judge(_tpm.Document(data), data, asks).Status);
    }

    [SoftwareTpmFact]
    public void Quote_OfAnotherTpm_IsRefused()
    {
        using var other = new SoftwareTpm();
        other.Extend(7, Measured);
        other.Endorse(new MockTpm().MakeEndorsement());
        var data = Fresh();
        AssertRefused(Judge(other.Document(data), data), AttestationCheck.Key);
    }
}
