using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Verification.Pki.Ocsp;

/// <summary>How answers about a path are judged.</summary>
internal sealed record OcspRules
{
    /// <summary>The roots of the path in question: a responder's certificate leads there too.</summary>
    public required IReadOnlyCollection<string> Roots { get; init; }

    /// <summary>Whether each certificate needs an answer. Where not, an answer that is there is judged all the same.</summary>
    public required bool IsRequired { get; init; }

    /// <summary>How long an answer without a next update holds. Zero: such an answer is refused, as it would hold for ever.</summary>
    public required TimeSpan WithoutNextUpdate { get; init; }
}

/// <summary>OCSP answers given as collateral, asked about certificates of paths that hold already.</summary>
internal sealed class OcspCheck
{
    /// <summary>Every file of the collateral whose name begins so is one answer in DER, or the nonce of one (<see cref="OcspNonce.FileSuffix"/>).</summary>
    public const string NamePrefix = "ocsp";

    private const int MostAnswers = 32;
    private const string OcspSigning = "1.3.6.1.5.5.7.3.9";

    private readonly VerificationContext _context;
    private readonly List<(string Name, OcspAnswer Answer)> _answers = [];

    /// <summary>Reads the answers. One that is none is a reason (Revocation).</summary>
    public OcspCheck(VerificationContext context, ReasonList reasons)
    {
        _context = context;
        var files = context.Collateral.Keys.Where(name => name.StartsWith(NamePrefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToLookup(IsNonce);
        var names = files[false].ToArray();
        // One that belongs to no answer is most likely misspelt, and would be compared with nothing.
        foreach (var name in files[true].Where(name => !context.Collateral.ContainsKey(name[..^OcspNonce.FileSuffix.Length])))
            reasons.Refuse(AttestationCheck.Revocation, $"{name} is the nonce of an answer that is not there");
        if (names.Length > MostAnswers) reasons.Refuse(AttestationCheck.Revocation, $"{names.Length} OCSP answers; {MostAnswers} are allowed");
        foreach (var name in names.Take(MostAnswers))
        {
            try
            {
                _answers.Add((name, OcspAnswer.Read(context.Collateral[name])));
            }
            catch (FormatException error)
            {
                reasons.Refuse(AttestationCheck.Revocation, $"{name}: {error.Message}");
            }
        }
    }

    /// <summary>Asks about each certificate of a path but its root.</summary>
    /// <param name="path">Leaf to root, as <see cref="CertificatePath"/> found it good.</param>
    /// <param name="first">The first one to ask about: 1 where the leaf is none that the vendor issued.</param>
    /// <param name="of">For people: whose path.</param>
    public void Check(X509Certificate2[] path, int first, string of, OcspRules rules, ReasonList reasons)
    {
        var missing = new List<int>();
        for (var i = first; i < path.Length - 1; i++)
        {
            // More than one would leave open which to believe, and cost a signature each.
            var found = Find(path[i], path[i + 1]);
            if (found.Count == 0) missing.Add(i);
            else if (found.Count > 1) reasons.Refuse(AttestationCheck.Revocation, $"{found[0].Name} and {found[1].Name} are both about certificate {i} of {of}");
            else Judge(found[0].Name, found[0].Answer, found[0].Status, path[(i + 1)..], rules, reasons);
        }

        if (missing.Count > 0 && rules.IsRequired) reasons.Miss(AttestationCheck.Revocation, $"no OCSP answer about certificate {string.Join(", ", missing)} of {of}");
    }

    private List<(string Name, OcspAnswer Answer, OcspStatus Status)> Find(X509Certificate2 certificate, X509Certificate2 issuer)
    {
        var found = new List<(string, OcspAnswer, OcspStatus)>();
        foreach (var (name, answer) in _answers)
        {
            foreach (var status in answer.Statuses)
            {
                if (found.Count < 2 && status.Names(certificate, issuer)) found.Add((name, answer, status));
            }
        }

        return found;
    }

    private void Judge(string name, OcspAnswer answer, OcspStatus status, X509Certificate2[] issuers, OcspRules rules, ReasonList reasons)
    {
        if (!IsAuthentic(name, answer, issuers, rules, reasons)) return;
        var until = status.NextUpdate ?? (rules.WithoutNextUpdate > TimeSpan.Zero ? Later(status.ThisUpdate, rules.WithoutNextUpdate) : null);
        if (until is not { } end) reasons.Refuse(AttestationCheck.Revocation, $"{name} does not say until when it holds");
        else if (_context.At < status.ThisUpdate || _context.At > end) reasons.Refuse(AttestationCheck.Revocation, $"{name} is for {status.ThisUpdate:u} to {end:u}");
        if (_context.Collateral.TryGetValue(name + OcspNonce.FileSuffix, out var sent)) OcspNonce.Check(name, answer.Nonce, sent, reasons);
        if (_context.At < answer.ProducedAt) reasons.Refuse(AttestationCheck.Revocation, $"{name} was made at {answer.ProducedAt:u}");
        if (status.State == OcspState.Revoked) reasons.Refuse(AttestationCheck.Revoked, $"a certificate is revoked by {name}");
        if (status.State == OcspState.Unknown) reasons.Refuse(AttestationCheck.Revocation, $"{name}: the responder does not know the certificate");
        var entry = $"ocsp {Convert.ToHexStringLower(SHA256.HashData(issuers[0].RawDataMemory.Span))} {Convert.ToHexStringLower(DerFields.Significant(status.Serial.Span))}";
        if (_context.History is { } history && !history.See(entry, 0, status.ThisUpdate)) reasons.Refuse(AttestationCheck.Revocation, $"{name} is older than one seen before, or the ledger is full");
    }

    // RFC 6960, 4.2.2.2: the issuer answers itself, or a responder does whose certificate that issuer signed for this purpose.
    private bool IsAuthentic(string name, OcspAnswer answer, X509Certificate2[] issuers, OcspRules rules, ReasonList reasons)
    {
        if (answer.IsFrom(issuers[0]))
        {
            if (answer.IsSignedBy(issuers[0])) return true;
            reasons.Refuse(AttestationCheck.Revocation, $"{name} is not signed by the certificate's issuer");
            return false;
        }

        foreach (var der in answer.Certificates)
        {
            if (Load(der) is not { } responder) continue;
            using (responder)
            {
                // Only the first one of that name, so that an answer costs one path.
                if (answer.IsFrom(responder)) return IsFromResponder(name, answer, responder, issuers, rules, reasons);
            }
        }

        reasons.Refuse(AttestationCheck.Revocation, $"{name} has no certificate of its responder");
        return false;
    }

    private bool IsFromResponder(string name, OcspAnswer answer, X509Certificate2 responder, X509Certificate2[] issuers, OcspRules rules, ReasonList reasons)
    {
        var found = new ReasonList();
        ReadOnlyMemory<byte>[] path = [responder.RawDataMemory, .. issuers.Select(issuer => issuer.RawDataMemory)];
        var pathRules = new PathRules { Keys = KeyRule.Any, Roots = rules.Roots, Denied = _context.Policy.Denied, KnownExtensions = [ExtendedUsages.Identifier] };
        foreach (var certificate in CertificatePath.Check(path, _context.At, pathRules, found) ?? []) certificate.Dispose();
        if (!IsForAnswers(responder)) found.Refuse(AttestationCheck.Revocation, "it is not for signing OCSP answers");
        if (!answer.IsSignedBy(responder)) found.Refuse(AttestationCheck.Revocation, "it did not sign the answer");
        foreach (var reason in found.All) reasons.Refuse(reason.Check == AttestationCheck.Revoked ? reason.Check : AttestationCheck.Revocation, $"{name}, its responder: {reason.Detail}");
        return found.IsEmpty;
    }

    private static bool IsNonce(string name) => name.EndsWith(OcspNonce.FileSuffix, StringComparison.Ordinal);

    private static bool IsForAnswers(X509Certificate2 responder) =>
        ExtendedUsages.Of(responder)?.Contains(OcspSigning) == true;

    private static X509Certificate2? Load(ReadOnlyMemory<byte> der)
    {
        try
        {
            return X509CertificateLoader.LoadCertificate(der.Span);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static DateTimeOffset? Later(DateTimeOffset time, TimeSpan span) => time <= DateTimeOffset.MaxValue - span ? time + span : null;
}
