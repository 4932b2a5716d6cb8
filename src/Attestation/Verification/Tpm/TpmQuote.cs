using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification.Tpm;

/// <summary>Registers of one bank.</summary>
/// <param name="Hash">TPM_ALG_ID of the bank.</param>
/// <param name="Indexes">Ascending.</param>
public sealed record TpmSelection(ushort Hash, IReadOnlyList<int> Indexes);

/// <summary>TPMS_ATTEST of a quote (TPM 2.0 Library, Part 2, 10.12).</summary>
public sealed record TpmQuote
{
    /// <summary>TPM_GENERATED_VALUE: a restricted key signs bytes that begin with it only where the TPM made them.</summary>
    public const uint Magic = 0xff544347;

    /// <summary>TPM_ST_ATTEST_QUOTE.</summary>
    public const ushort QuoteType = 0x8018;

    private const int MostBanks = 16, LargestSelect = 4, LargestName = 66, LargestData = 66, LargestDigest = 64;

    /// <summary>Name algorithm and digest over the names from the hierarchy down to the signing key.</summary>
    public required ReadOnlyMemory<byte> QualifiedSigner { get; init; }

    /// <summary>The qualifying data that the caller gave.</summary>
    public required ReadOnlyMemory<byte> ExtraData { get; init; }

    public required ulong Clock { get; init; }

    public required uint ResetCount { get; init; }

    public required uint RestartCount { get; init; }

    public required ulong Firmware { get; init; }

    public required IReadOnlyList<TpmSelection> Selections { get; init; }

    public required ReadOnlyMemory<byte> RegisterDigest { get; init; }

    /// <returns>Null, with a reason (Encoding or Version), where it is not exactly a quote.</returns>
    public static TpmQuote? Read(ReadOnlySpan<byte> bytes, ReasonList reasons)
    {
        try
        {
            var reader = new ByteReader(bytes, "quote");
            var (magic, type) = (reader.U32(), reader.U16());
            if (magic != Magic || type != QuoteType)
            {
                reasons.Refuse(AttestationCheck.Version, $"magic {magic:x8}, type {type:x4}: not a quote that a TPM made");
                return null;
            }

            var quote = Body(ref reader);
            reader.End();
            return quote;
        }
        catch (FormatException error)
        {
            reasons.Refuse(AttestationCheck.Encoding, error.Message);
            return null;
        }
    }

    private static TpmQuote Body(ref ByteReader reader)
    {
        var (signer, data) = (Sized(ref reader, LargestName), Sized(ref reader, LargestData));
        var (clock, resets, restarts, safe, firmware) = (reader.U64(), reader.U32(), reader.U32(), reader.U8(), reader.U64());
        if (safe > 1) throw new FormatException($"quote: {safe} is neither yes nor no");
        return new TpmQuote
        {
            QualifiedSigner = signer, ExtraData = data, Clock = clock, ResetCount = resets, RestartCount = restarts, Firmware = firmware,
            Selections = ReadSelections(ref reader), RegisterDigest = Sized(ref reader, LargestDigest),
        };
    }

    private static TpmSelection[] ReadSelections(ref ByteReader reader)
    {
        var count = reader.U32();
        if (count > MostBanks) throw new FormatException($"quote: {count} banks");
        var selections = new TpmSelection[count];
        for (var i = 0; i < selections.Length; i++)
        {
            var (hash, size) = (reader.U16(), reader.U8());
            if (size is 0 or > LargestSelect) throw new FormatException($"quote: a selection of {size} bytes");
            var bits = reader.Take(size);
            var indexes = new List<int>();
            for (var index = 0; index < 8 * size; index++)
            {
                if ((bits[index / 8] >> (index % 8) & 1) != 0) indexes.Add(index);
            }

            selections[i] = new TpmSelection(hash, indexes);
        }

        return selections;
    }

    private static byte[] Sized(ref ByteReader reader, int largest)
    {
        var size = reader.U16();
        return size <= largest ? reader.Take(size).ToArray() : throw new FormatException($"quote: a field of {size} bytes");
    }
}
