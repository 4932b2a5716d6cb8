using System.Runtime.Intrinsics;
using OpenGradient.Engine.LanguageModels.Sampling.Arithmetic;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Sampling;

public sealed class ArithmeticTests
{
    [Fact]
    public void Exp_GoldenNumbers_GivesTheGoldenBits()
    {
        foreach (var vector in Vectors.Of("exp"))
            Assert.Equal(vector.GetProperty("y").GetUInt32(), BitConverter.SingleToUInt32Bits(FixedMath.Exp(vector.Float("x"))));
    }

    [Fact]
    public void Exp_WholeRange_IsPreciseAndTheSameInVectors()
    {
        var random = new Random(1);
        Span<float> lanes = stackalloc float[16];
        for (var i = 0; i < 20_000; i++)
        {
            for (var lane = 0; lane < 16; lane++) lanes[lane] = -64 * (float)Math.Pow(random.NextDouble(), 3);
            var vector = FixedMath.Exp(Vector512.Create<float>(lanes));
            for (var lane = 0; lane < 16; lane++)
            {
                var exact = Math.Exp(lanes[lane]);
                Assert.InRange(FixedMath.Exp(lanes[lane]), exact * (1 - 3e-7), exact * (1 + 3e-7));
                Assert.Equal(BitConverter.SingleToInt32Bits(FixedMath.Exp(lanes[lane])), BitConverter.SingleToInt32Bits(vector[lane]));
            }
        }

        Assert.Equal(1, FixedMath.Exp(0));
    }

    [Fact]
    public void Log_WholeRange_IsPrecise()
    {
        var random = new Random(1);
        for (var i = 0; i < 100_000; i++)
        {
            var x = Math.Exp((random.NextDouble() * 60) - 20);
            Assert.InRange(FixedMath.Log(x) - Math.Log(x), -1e-13, 1e-13);
        }

        Assert.Equal(0, FixedMath.Log(1));
    }

    [Theory, InlineData(1), InlineData(31), InlineData(32), InlineData(33), InlineData(500), InlineData(20_000)]
    public void Keep_AnyKeys_KeepsWhatSortingKeeps(int count)
    {
        var random = new Random(count);
        for (var i = 0; i < 30; i++)
        {
            var most = random.Next(3) switch { 0 => 3, 1 => 1000, _ => WeightTable.One };
            ulong[] keys = [.. Enumerable.Range(0, count).Select(token => KeyOrder.Of(1 + random.Next(most), token)).OrderBy(_ => random.Next())];
            ulong[] sorted = [.. keys.OrderDescending()];
            var wanted = random.Next(1, count + 1);
            var kept = (ulong[])keys.Clone();
            Assert.Equal(wanted, KeyOrder.KeepCount(kept, wanted));
            Assert.Equal(sorted[..wanted], kept[..wanted].OrderDescending());

            var needed = 1 + random.NextInt64(KeyOrder.Sum(keys));
            var (sum, fewest) = (0L, 0);
            while (sum < needed) sum += KeyOrder.WeightOf(sorted[fewest++]);
            kept = (ulong[])keys.Clone();
            Assert.Equal(fewest, KeyOrder.KeepSum(kept, needed));
            Assert.Equal(sorted[..fewest], kept[..fewest].OrderDescending());
        }
    }

    [Theory, InlineData(5), InlineData(127), InlineData(128), InlineData(129), InlineData(1000)]
    public void Weights_AnyLength_AreThoseOfOneColumnAtATime(int columns)
    {
        var random = new Random(columns);
        float[] row = [.. Enumerable.Range(0, columns).Select(_ => random.NextSingle() * 30)];
        var max = row.Max();
        var table = new WeightTable();
        table.Fill(row, max, 1 / 0.7f);
        int[] weights = [.. row.Select(value => (int)(FixedMath.Exp(Math.Max((value - max) * (1 / 0.7f), -64)) * WeightTable.One))];
        Assert.Equal(weights.Sum(weight => (long)weight), table.Total);
        long before = 0;
        for (var i = 0; i < columns; before += weights[i++])
        {
            if (weights[i] == 0) continue;
            Assert.Equal(i, table.At(before, 0));
            Assert.Equal(i, table.At(before + weights[i] - 1, 0));
        }
    }

    [Fact]
    public void Largest_Ties_AreInOrderOfColumns()
    {
        float[] row = [.. Enumerable.Range(0, 100).Select(i => (float)(i % 10))];
        var columns = new int[12];
        Assert.Equal(12, LogitScan.Largest(row, columns));
        Assert.Equal([9, 19, 29, 39, 49, 59, 69, 79, 89, 99, 8, 18], columns);
    }
}
