using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Sampling;

namespace OpenGradient.Engine.LanguageModels.Commitments;

/// <summary>Everything that decides an answer besides model and prompt, as it was in effect (docs/formats.md, "Generation parameters"). Immutable.</summary>
public sealed record GenerationParameters
{
    /// <summary>Parameters of a request are far below it: a thousand biases and 16 stop texts.</summary>
    public const int MaxSize = 64 << 10;

    /// <summary><see cref="SamplingParameters.Seed"/> is not looked at: <see cref="Seed"/> is what was drawn from.</summary>
    public required SamplingParameters Sampling { get; init; }

    public required ulong Seed { get; init; }

    /// <summary>The limit in effect, also where the request gave none.</summary>
    public required int MaxTokens { get; init; }

    public IReadOnlyList<string> Stop { get; init; } = [];

    public bool IgnoreEndOfSequence { get; init; }

    /// <summary>SHA-256 of the constraint's description; null for none.</summary>
    public Hash256? Constraint { get; init; }

    /// <summary>The model's end-of-sequence tokens.</summary>
    public IReadOnlyList<int> EndTokens { get; init; } = [];

    /// <summary>The digest in a row leaf.</summary>
    public Hash256 Digest() => TensorSetDigest.OfParameters(Encode());

    /// <summary>The deterministic CBOR map.</summary>
    /// <exception cref="ArgumentException">A stop text is not valid Unicode.</exception>
    public byte[] Encode()
    {
        var entries = 10 + Optional(Sampling.LogitBias.Count > 0) + Optional(Sampling.TopLogprobs is not null) + Optional(Stop.Count > 0)
            + Optional(IgnoreEndOfSequence) + Optional(Constraint is not null) + Optional(EndTokens.Count > 0);
        var writer = new CborWriter().Map(entries)
            .UInt(1).UInt(TokenSampler.Rule)
            .UInt(2).UInt(Seed)
            .UInt(3).UInt((ulong)MaxTokens)
            .UInt(4).UInt(Bits(Sampling.Temperature))
            .UInt(5).UInt((ulong)Sampling.TopK)
            .UInt(6).UInt(Bits(Sampling.TopP))
            .UInt(7).UInt(Bits(Sampling.MinP))
            .UInt(8).UInt(Bits(Sampling.RepetitionPenalty))
            .UInt(9).UInt(Bits(Sampling.PresencePenalty))
            .UInt(10).UInt(Bits(Sampling.FrequencyPenalty));
        if (Sampling.LogitBias.Count > 0)
        {
            writer.UInt(11).Map(Sampling.LogitBias.Count);
            foreach (var (token, bias) in Sampling.LogitBias.OrderBy(pair => pair.Key)) writer.UInt((ulong)token).UInt(Bits(bias));
        }

        if (Sampling.TopLogprobs is { } top) writer.UInt(12).UInt((ulong)top);
        if (Stop.Count > 0)
        {
            writer.UInt(13).Array(Stop.Count);
            foreach (var stop in Stop) writer.Text(stop);
        }

        if (IgnoreEndOfSequence) writer.UInt(14).UInt(1);
        if (Constraint is { } constraint) writer.UInt(15).Bytes(constraint.Bytes);
        if (EndTokens.Count > 0)
        {
            int[] ends = [.. EndTokens.Distinct().Order()];
            writer.UInt(16).Array(ends.Length);
            foreach (var end in ends) writer.UInt((ulong)end);
        }

        return writer.ToArray();
    }

    /// <exception cref="FormatException">Not the canonical bytes of parameters; the message names what was wrong.</exception>
    public static GenerationParameters Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaxSize) throw new FormatException($"parameters: more than {MaxSize} bytes");
        var decoded = GenerationParametersReader.Read(bytes);
        // One answer's parameters have one encoding: whatever was read otherwise is not it.
        return decoded.Encode().AsSpan().SequenceEqual(bytes) ? decoded : throw new FormatException("parameters: not the canonical encoding");
    }

    private static int Optional(bool isThere) => isThere ? 1 : 0;

    private static uint Bits(float value) => BitConverter.SingleToUInt32Bits(value);
}
