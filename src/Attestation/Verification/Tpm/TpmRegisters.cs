using System.Security.Cryptography;

namespace OpenGradient.Engine.Attestation.Verification.Tpm;

/// <summary>The quoted registers: selection, digest, reference values and log.</summary>
internal static class TpmRegisters
{
    private const int DigestSize = 32;

    /// <summary>The values by register, once the signed digest covers them.</summary>
    /// <returns>Null, with a reason (Measurement), where it does not, or where another selection was quoted.</returns>
    public static SortedDictionary<int, byte[]>? Read(TpmEvidence evidence, TpmQuote quote, ushort hash, TpmPolicy policy, ReasonList reasons)
    {
        var wanted = policy.Selection.Distinct().Order().ToArray();
        if (wanted.Length == 0)
        {
            reasons.Miss(AttestationCheck.Measurement, "the policy selects no register");
            return null;
        }

        if (quote.Selections is not [{ Hash: TpmAlgorithm.Sha256 } selection] || !selection.Indexes.SequenceEqual(wanted))
        {
            reasons.Refuse(AttestationCheck.Measurement, $"the quote is over {Text(quote.Selections)}, not over exactly {string.Join(',', wanted)} of SHA-256");
            return null;
        }

        if (evidence.Registers.Length != wanted.Length * DigestSize)
        {
            reasons.Refuse(AttestationCheck.Encoding, $"{evidence.Registers.Length} bytes of register values for {wanted.Length} registers");
            return null;
        }

        var digest = CryptographicOperations.HashData(TpmAlgorithm.Hash(hash)!.Value, evidence.Registers.Span);
        if (!digest.AsSpan().SequenceEqual(quote.RegisterDigest.Span))
        {
            reasons.Refuse(AttestationCheck.Measurement, "the register values do not have the signed digest");
            return null;
        }

        var values = new SortedDictionary<int, byte[]>();
        for (var i = 0; i < wanted.Length; i++) values[wanted[i]] = evidence.Registers.Slice(i * DigestSize, DigestSize).ToArray();
        return values;
    }

    public static void CheckValues(SortedDictionary<int, byte[]> values, TpmPolicy policy, ReasonList reasons)
    {
        if (policy.Registers.Count == 0) reasons.Miss(AttestationCheck.Measurement, "the policy names no reference value of any register");
        foreach (var (index, allowed) in policy.Registers.OrderBy(entry => entry.Key))
        {
            if (!values.TryGetValue(index, out var value)) reasons.Refuse(AttestationCheck.Measurement, $"register {index} has reference values and is not quoted");
            else if (!policy.AllowEmptyRegisters && value.AsSpan().IndexOfAnyExcept((byte)0) < 0) reasons.Refuse(AttestationCheck.Measurement, $"nothing was measured into register {index}");
            else if (!allowed.Contains(Convert.ToHexStringLower(value))) reasons.Refuse(AttestationCheck.Measurement, $"register {index} is {Convert.ToHexStringLower(value)}");
        }
    }

    /// <summary>Registers 0 to 7 are the firmware's, which logs all of them; of the others only those that the log extends are compared.</summary>
    public static void CheckLog(ReadOnlySpan<byte> log, SortedDictionary<int, byte[]> values, TpmPolicy policy, ReasonList reasons)
    {
        if (log.IsEmpty)
        {
            if (policy.RequireEventLog) reasons.Miss(AttestationCheck.EventLog, "no event log");
            return;
        }

        try
        {
            var replayed = TpmEventLog.Replay(log);
            foreach (var (index, value) in values)
            {
                if (!replayed.TryGetValue(index, out var end) && index > 7) continue;
                if (!value.AsSpan().SequenceEqual(end ?? new byte[DigestSize])) reasons.Refuse(AttestationCheck.EventLog, $"the log does not replay to register {index}");
            }
        }
        catch (FormatException error)
        {
            reasons.Refuse(AttestationCheck.EventLog, error.Message);
        }
    }

    private static string Text(IReadOnlyList<TpmSelection> selections) =>
        selections.Count == 0 ? "nothing" : string.Join("; ", selections.Select(selection => $"{string.Join(',', selection.Indexes)} of {selection.Hash:x4}").Take(4));
}
