using OpenGradient.Engine.LanguageModels.Sampling;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Sampling;

public sealed class RandomDrawsTests
{
    /// <summary>The three answers that the generator's authors publish are among them.</summary>
    [Fact]
    public void Philox_KnownAnswers_AreGiven()
    {
        foreach (var vector in Vectors.Of("philox"))
        {
            uint[] Words(string name) => [.. vector.GetProperty(name).EnumerateArray().Select(word => word.GetUInt32())];
            var (counter, key) = (Words("counter"), Words("key"));
            RandomDraws.Philox(counter, key[0], key[1]);
            Assert.Equal(Words("words"), counter);
        }
    }

    [Fact]
    public void Draw_GoldenIndices_GivesTheGoldenDraws()
    {
        foreach (var vector in Vectors.Of("draws"))
            Assert.Equal(vector.Long("draw"), RandomDraws.Draw(vector.Long("seed"), vector.GetProperty("index").GetUInt64()));
    }
}
