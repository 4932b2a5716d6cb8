using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Sampling;

namespace OpenGradient.Engine.LanguageModels.Commitments;

/// <summary>Reads what <see cref="GenerationParameters.Encode"/> wrote.</summary>
internal static class GenerationParametersReader
{
    public static GenerationParameters Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new CborReader(bytes);
        var left = reader.Map() - 10;
        if (left < 0) throw new FormatException("parameters: at least ten keys expected");
        reader.Key(1);
        if (reader.UInt() != TokenSampler.Rule) throw new FormatException("parameters: an unknown rule of sampling");
        reader.Key(2);
        var seed = reader.UInt();
        var maxTokens = Int(ref reader, 3);
        var temperature = Float(ref reader, 4);
        var topK = Int(ref reader, 5);
        var topP = Float(ref reader, 6);
        var minP = Float(ref reader, 7);
        var repetition = Float(ref reader, 8);
        var presence = Float(ref reader, 9);
        var frequency = Float(ref reader, 10);
        var biases = new Dictionary<int, float>();
        int? topLogprobs = null;
        List<string> stops = [];
        List<int> ends = [];
        var ignores = false;
        Hash256? constraint = null;
        for (; left > 0; left--)
        {
            switch (reader.UInt())
            {
                case 11:
                    for (var count = reader.Map(); count > 0; count--) biases[Int(ref reader)] = Float(ref reader);
                    break;
                case 12: topLogprobs = Int(ref reader); break;
                case 13:
                    for (var count = reader.Array(); count > 0; count--) stops.Add(reader.Text());
                    break;
                case 14: ignores = reader.UInt() == 1; break;
                case 15: constraint = reader.Hash(); break;
                case 16:
                    for (var count = reader.Array(); count > 0; count--) ends.Add(Int(ref reader));
                    break;
                default: throw new FormatException("parameters: an unknown key");
            }
        }

        reader.End();
        return new GenerationParameters
        {
            Sampling = new SamplingParameters
            {
                Temperature = temperature, TopK = topK, TopP = topP, MinP = minP, RepetitionPenalty = repetition, PresencePenalty = presence,
                FrequencyPenalty = frequency, Seed = seed, LogitBias = biases, TopLogprobs = topLogprobs,
            },
            Seed = seed,
            MaxTokens = maxTokens,
            Stop = stops,
            IgnoreEndOfSequence = ignores,
            Constraint = constraint,
            EndTokens = ends,
        };
    }

    private static int Int(ref CborReader reader, ulong key)
    {
        reader.Key(key);
        return Int(ref reader);
    }

    private static float Float(ref CborReader reader, ulong key)
    {
        reader.Key(key);
        return Float(ref reader);
    }

    private static int Int(ref CborReader reader) =>
        reader.UInt() is var value and <= int.MaxValue ? (int)value : throw new FormatException("parameters: a number out of range");

    private static float Float(ref CborReader reader) =>
        reader.UInt() is var value and <= uint.MaxValue ? BitConverter.UInt32BitsToSingle((uint)value) : throw new FormatException("parameters: 32 bits expected");
}
