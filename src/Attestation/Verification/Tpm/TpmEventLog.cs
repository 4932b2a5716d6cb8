using System.Security.Cryptography;
using OpenGradient.Engine.Attestation.Verification.EventLogs;

namespace OpenGradient.Engine.Attestation.Verification.Tpm;

/// <summary>Replays a firmware's event log in a TPM's SHA-256 bank.</summary>
internal static class TpmEventLog
{
    private const int Registers = 24, DigestSize = 32;

    private static ReadOnlySpan<byte> LocalityTag => "StartupLocality\0"u8;

    /// <summary>The registers that the log extends, with their values at its end.</summary>
    /// <exception cref="FormatException">Not exactly such a log.</exception>
    public static IReadOnlyDictionary<int, byte[]> Replay(ReadOnlySpan<byte> log)
    {
        var values = new SortedDictionary<int, byte[]>();
        var initial = new byte[DigestSize];
        foreach (var entry in CryptoAgileLog.Read(log, TpmAlgorithm.Sha256, DigestSize, isPadded: false))
        {
            if (entry.Type == MeasuredEvent.NoAction)
            {
                var isLocality = entry.Register == 0 && entry.Data.Length == LocalityTag.Length + 1 && entry.Data.AsSpan().StartsWith(LocalityTag);
                if (isLocality && !values.ContainsKey(0)) initial[^1] = entry.Data[^1];
                continue;
            }

            if (entry.Register >= Registers) throw new FormatException($"event log: register {entry.Register}");
            var index = (int)entry.Register;
            var before = values.TryGetValue(index, out var value) ? value : index == 0 ? initial : new byte[DigestSize];
            values[index] = SHA256.HashData([.. before, .. entry.Digest]);
        }

        return values;
    }
}
