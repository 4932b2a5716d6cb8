using System.Globalization;
using System.Numerics;

namespace OpenGradient.Engine.Attestation.Verification.History;

/// <summary>
/// The newest revocation lists, TCB information and identities that were seen, so that nobody can put an older one in their place; and
/// the counts of starts of each TPM, which never fall either.
/// Verifiers tell it of authentic collateral only. For verification at the present time: evidence of the past is judged with the
/// collateral of its time and without a ledger. Thread-safe; the caller saves it.
/// </summary>
public sealed class CollateralLedger
{
    // A vendor has a list per issuer and an identity per platform family. More names would be somebody filling the memory.
    private const int MostNames = 4096;
    private const int LongestName = 200;
    private const int MostNumberBytes = 32;

    private readonly SortedDictionary<string, Seen> _seen = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    /// <summary>Notes authentic collateral.</summary>
    /// <param name="name">What it is and whose, without its version: "tdx tcb 50806f000000".</param>
    /// <param name="number">Its number, which never falls (a list's number, tcbEvaluationDataNumber); zero where it has none.</param>
    /// <param name="issued">Never earlier than before.</param>
    /// <returns>False where a newer one was seen, or where this one cannot be remembered: the ledger is full.</returns>
    public bool See(string name, BigInteger number, DateTimeOffset issued)
    {
        if (!IsName(name) || number.Sign < 0 || number.GetByteCount() > MostNumberBytes) return false;
        lock (_lock)
        {
            if (!_seen.TryGetValue(name, out var seen))
            {
                if (_seen.Count == MostNames) return false;
            }
            else if (number < seen.Number || issued < seen.Issued)
            {
                return false;
            }

            _seen[name] = new Seen(number, issued);
            return true;
        }
    }

    /// <summary>The number that a name was seen with last; null: never.</summary>
    public BigInteger? NumberOf(string name)
    {
        lock (_lock) return _seen.TryGetValue(name, out var seen) ? seen.Number : null;
    }

    /// <summary>One line per name: the name, its number and seconds since 1970, separated by tabs.</summary>
    public string Save()
    {
        lock (_lock) return string.Concat(_seen.Select(entry => $"{entry.Key}\t{entry.Value.Number}\t{entry.Value.Issued.ToUnixTimeSeconds()}\n"));
    }

    /// <exception cref="FormatException">Not what <see cref="Save"/> writes. A ledger that cannot be read must not be replaced by an empty one.</exception>
    public static CollateralLedger Load(string text)
    {
        var ledger = new CollateralLedger();
        if (text.Length > 0 && text[^1] != '\n') throw new FormatException("the ledger's last line is incomplete");
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var fields = line.Split('\t');
            if (fields.Length != 3 || fields[1].Length > 3 * MostNumberBytes
                || !BigInteger.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                || !long.TryParse(fields[2], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds)
                || seconds < DateTimeOffset.MinValue.ToUnixTimeSeconds() || seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds()
                || ledger._seen.ContainsKey(fields[0]) || !ledger.See(fields[0], number, DateTimeOffset.FromUnixTimeSeconds(seconds)))
                throw new FormatException("a line of the ledger is not a name, a number and a time");
        }

        return ledger;
    }

    private static bool IsName(string name) => name.Length is > 0 and <= LongestName && !name.AsSpan().ContainsAnyInRange('\0', '\x1f');

    private readonly record struct Seen(BigInteger Number, DateTimeOffset Issued);
}
