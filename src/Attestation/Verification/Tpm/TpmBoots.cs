using System.Globalization;
using System.Numerics;

namespace OpenGradient.Engine.Attestation.Verification.Tpm;

/// <summary>
/// Remembers how often each TPM was reset and restarted (TPM 2.0 Library, Part 1, 36): the counts never fall, so a quote with lower ones
/// is of a machine that was set back, and higher ones say that it was started anew since.
/// </summary>
internal static class TpmBoots
{
    private const int RestartBits = 32;

    /// <summary>What the quote says of the machine's starts, with what the ledger knows of the same key.</summary>
    public static BootClaim Claim(TpmQuote quote, byte[]? keyName, VerificationContext context)
    {
        var before = keyName is null ? null : context.History?.NumberOf(NameIn(keyName));
        return new BootClaim(quote.ResetCount, quote.RestartCount, quote.Clock, before is { } number ? number < NumberOf(quote) : null);
    }

    /// <summary>Remembers the counts of evidence that nothing speaks against, and refuses any that fell.</summary>
    public static void Check(TpmQuote quote, byte[]? keyName, VerificationContext context, ReasonList reasons)
    {
        if (keyName is null || context.History is not { } history) return;
        var name = NameIn(keyName);
        var hasFallen = history.NumberOf(name) is { } before && NumberOf(quote) < before;
        // A stranger's keys must not fill the ledger.
        if (hasFallen || (reasons.IsEmpty && !history.See(name, NumberOf(quote), DateTimeOffset.UnixEpoch)))
            reasons.Refuse(AttestationCheck.Time, string.Create(CultureInfo.InvariantCulture, $"{quote.ResetCount} resets and {quote.RestartCount} restarts: more were seen before, or the history is full"));
    }

    private static BigInteger NumberOf(TpmQuote quote) => ((BigInteger)quote.ResetCount << RestartBits) + quote.RestartCount;

    private static string NameIn(byte[] keyName) => "tpm boots " + Convert.ToHexStringLower(keyName);
}
