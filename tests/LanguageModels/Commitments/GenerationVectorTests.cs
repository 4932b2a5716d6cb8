using System.Text;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Commitments;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Commitments;

/// <summary>Bytes that are signed, against a program in another language.</summary>
public sealed class GenerationVectorTests
{
    [Fact]
    public void Parameters_GoldenOnes_AreTheGoldenBytes()
    {
        foreach (var vector in Vectors.Of("parameters"))
        {
            var parameters = new GenerationParameters
            {
                Sampling = vector.Sampling(),
                Seed = vector.Long("seed"),
                MaxTokens = vector.Int("max_tokens"),
                Stop = [.. vector.GetProperty("stop").EnumerateArray().Select(stop => stop.GetString()!)],
                IgnoreEndOfSequence = vector.GetProperty("ignore_eos").GetBoolean(),
                Constraint = vector.GetProperty("constraint").GetString() is { } schema ? Hash256.Sha256(Encoding.UTF8.GetBytes(schema)) : null,
                EndTokens = vector.Ints("end_tokens"),
            };
            Assert.Equal(vector.Text("cbor"), Convert.ToHexStringLower(parameters.Encode()));
            Assert.Equal(vector.Text("digest"), parameters.Digest().ToString());
            Assert.Equal(parameters.Encode(), GenerationParameters.Decode(parameters.Encode()).Encode());
        }
    }

    [Fact]
    public void Parameters_AnyOtherBytes_AreRefused()
    {
        foreach (var vector in Vectors.Of("parameters"))
        {
            var bytes = Convert.FromHexString(vector.Text("cbor"));
            for (var length = 0; length < bytes.Length; length++) Assert.Throws<FormatException>(() => GenerationParameters.Decode(bytes.AsSpan(0, length)));
            Assert.Throws<FormatException>(() => GenerationParameters.Decode([.. bytes, 0]));
            var random = new Random(1);
            for (var i = 0; i < 2000; i++)
            {
                var changed = (byte[])bytes.Clone();
                changed[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                try
                {
                    // What is read has one encoding, or it is not read.
                    Assert.Equal(changed, GenerationParameters.Decode(changed).Encode());
                }
                catch (FormatException)
                {
                }
            }
        }
    }

    [Fact]
    public void Rows_GoldenOnes_HaveTheGoldenDigests()
    {
        foreach (var vector in Vectors.Of("rows"))
        {
            Assert.Equal(vector.Text("request"), GenerationRow.RequestDigest(vector.Ints("prompt")).ToString());
            Assert.Equal(vector.Text("output"), GenerationRow.OutputDigest((FinishReason)vector.Int("finish"), Hash256.Parse(vector.Text("previous")), vector.Ints("answer")).ToString());
        }
    }
}
