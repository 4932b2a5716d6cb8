using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using OpenGradient.Engine.Attestation.Verification.Pki;

namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>Judges collateral for one platform: lists, signers, dates, evaluation numbers, and whether it is this platform's.</summary>
internal sealed class TdxCollateralCheck(TdxCollateral collateral, PckChain chain, VerificationContext context, TdxPolicy policy, ReasonList reasons)
{
    private const int SignerPath = 2;

    /// <returns>The parts that Intel signed; null for one that it did not.</returns>
    public (TcbInfo? Info, QeIdentity? Enclave) Run()
    {
        var rootList = List(collateral.RootCrl, chain.Root, "the root's revocation list");
        if (rootList is not null && rootList.Lists(chain.Authority)) reasons.Refuse(AttestationCheck.Revoked, "the PCK authority is revoked");
        var pckList = List(collateral.PckCrl, chain.Authority, "the PCK revocation list");
        if (pckList is not null && pckList.Lists(chain.Leaf)) reasons.Refuse(AttestationCheck.Revoked, "the PCK certificate is revoked");

        var info = Authentic(collateral.TcbInfo, "TCB info", rootList) ? Parse("TCB info", () => TcbInfo.Read(collateral.TcbInfo.Json)) : null;
        if (info is not null)
        {
            var fmspc = Convert.ToHexStringLower(info.Fmspc);
            Fresh("TCB info", "tdx tcb " + fmspc, info.IssueDate, info.NextUpdate, info.EvaluationNumber);
            if (!chain.Platform.Fmspc.Span.SequenceEqual(info.Fmspc))
                reasons.Refuse(AttestationCheck.Collateral, $"TCB info is for FMSPC {fmspc}, the platform is {Convert.ToHexStringLower(chain.Platform.Fmspc.Span)}");
            if (!chain.Platform.PceId.Span.SequenceEqual(info.PceId)) reasons.Refuse(AttestationCheck.Collateral, "TCB info is for another PCEID");
        }

        var enclave = Authentic(collateral.QeIdentity, "QE identity", rootList) ? Parse("QE identity", () => QeIdentity.Read(collateral.QeIdentity.Json)) : null;
        if (enclave is not null) Fresh("QE identity", "tdx qe identity", enclave.IssueDate, enclave.NextUpdate, enclave.EvaluationNumber);
        return (info, enclave);
    }

    private RevocationList? List(ReadOnlyMemory<byte> der, X509Certificate2 issuer, string name)
    {
        var list = RevocationList.Read(der, name, reasons);
        list?.Check(issuer, context.At, name, reasons, context.History);
        return list;
    }

    // True where a path that holds signed it. Everything that is wrong is a reason of the collateral, not of the evidence's own chain.
    private bool Authentic(SignedJson signed, string name, RevocationList? rootList)
    {
        var found = new ReasonList();
        if (signed.Certificates.Count != SignerPath) found.Refuse(AttestationCheck.Collateral, $"{signed.Certificates.Count} certificates, not a signer and a root");
        else if (CertificatePath.Check(signed.Certificates, context.At, PckChain.Rules(context, policy, SignerPath), found) is { } path)
        {
            CheckSigner(path, signed, rootList, found);
            foreach (var certificate in path) certificate.Dispose();
        }

        foreach (var reason in found.All) reasons.Refuse(reason.Check == AttestationCheck.Revoked ? reason.Check : AttestationCheck.Collateral, $"{name}: {reason.Detail}");
        return !found.All.Any(reason => reason.Check != AttestationCheck.ChainTime);
    }

    private void CheckSigner(X509Certificate2[] path, SignedJson signed, RevocationList? rootList, ReasonList found)
    {
        if (!CommonName.Is(path[0], CommonName.TcbSigning)) found.Refuse(AttestationCheck.Collateral, "the signer is not for TCB signing by its name");
        // The root's list speaks for this root only.
        if (!path[1].RawDataMemory.Span.SequenceEqual(chain.Root.RawDataMemory.Span)) found.Refuse(AttestationCheck.Collateral, "the signer has another root than the platform");
        if (rootList is not null && rootList.Lists(path[0])) found.Refuse(AttestationCheck.Revoked, "the signer is revoked");
        if (!P256Signature.Holds(path[0], signed.Json, signed.Signature)) found.Refuse(AttestationCheck.Collateral, "the signature does not hold");
    }

    private T? Parse<T>(string name, Func<T> read) where T : class
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is FormatException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            reasons.Refuse(AttestationCheck.Collateral, $"{name}: {error.Message}");
            return null;
        }
    }

    private void Fresh(string name, string ledgerName, DateTimeOffset issued, DateTimeOffset next, int number)
    {
        if (context.At < issued || context.At > next) reasons.Refuse(AttestationCheck.Collateral, $"{name} is for {issued:u} to {next:u}");
        if (number < policy.LeastEvaluationNumber)
            reasons.Refuse(AttestationCheck.Collateral, $"{name} has evaluation number {number}, at least {policy.LeastEvaluationNumber} is asked for");
        if (context.History is { } history && !history.See(ledgerName, number, issued))
            reasons.Refuse(AttestationCheck.Collateral, $"{name} is older than one seen before, or the ledger is full");
    }
}
