using System.Security.Cryptography;
using OpenGradient.Engine.Attestation.Verification.EventLogs;

namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>Replays a guest's event log (UEFI 38.4.1, the area that the ACPI table CCEL points at) into the runtime measurement registers.</summary>
internal static class TdxEventLog
{
    /// <summary>Collateral: the area as the guest's kernel shows it (/sys/firmware/acpi/tables/data/CCEL).</summary>
    public const string FileName = "ccel.bin";

    /// <summary>Areas of real guests have 64 KiB to 1 MiB, most of it filling.</summary>
    public const int MostBytes = 2 * 1024 * 1024;

    private const ushort Sha384 = 0x000c;
    private const int DigestSize = 48, Registers = 4;

    /// <summary>RTMR0 to RTMR3 at the log's end; zeros where it extends nothing.</summary>
    /// <exception cref="FormatException">Not exactly such a log.</exception>
    public static byte[][] Replay(ReadOnlySpan<byte> log)
    {
        var values = Enumerable.Range(0, Registers).Select(_ => new byte[DigestSize]).ToArray();
        foreach (var entry in CryptoAgileLog.Read(log, Sha384, DigestSize, isPadded: true))
        {
            if (entry.Type == MeasuredEvent.NoAction) continue;
            // 0 is MRTD, which nothing extends once the guest runs.
            if (entry.Register is 0 or > Registers) throw new FormatException($"event log: register {entry.Register}");
            ref var value = ref values[entry.Register - 1];
            value = SHA384.HashData([.. value, .. entry.Digest]);
        }

        return values;
    }

    /// <summary>
    /// Registers 0 to 2 belong to firmware and boot loader, which log all that they measure. Programs extend register 3 while the guest
    /// runs and log elsewhere, so it is compared only where this log extends it.
    /// </summary>
    public static void Check(TdxQuote quote, VerificationContext context, TdxPolicy policy, ReasonList reasons)
    {
        var isGiven = context.Collateral.TryGetValue(FileName, out var given);
        if (quote.EventLog is { } carried) Judge("the log behind the quote", carried, quote.Body, reasons);
        else if (!isGiven && policy.RequireEventLog) reasons.Miss(AttestationCheck.EventLog, $"{FileName} is missing, and no log is behind the quote");
        if (isGiven) Judge(FileName, given.Span, quote.Body, reasons);
    }

    private static void Judge(string name, ReadOnlySpan<byte> log, TdxBody body, ReasonList reasons)
    {
        if (log.Length > MostBytes)
        {
            reasons.Refuse(AttestationCheck.Size, $"an event log of {log.Length} bytes; at most {MostBytes} are read");
            return;
        }

        try
        {
            var replayed = Replay(log);
            for (var register = 0; register < Registers; register++)
            {
                var value = replayed[register].AsSpan();
                if (register == Registers - 1 && !value.ContainsAnyExcept((byte)0)) continue;
                if (!value.SequenceEqual(body.Rtmr(register))) reasons.Refuse(AttestationCheck.EventLog, $"{name} does not replay to RTMR{register}");
            }
        }
        catch (FormatException error)
        {
            reasons.Refuse(AttestationCheck.EventLog, $"{name}: {error.Message}");
        }
    }
}
