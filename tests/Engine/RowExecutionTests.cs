using System.Runtime.InteropServices;
using OpenGradient.Engine.Determinism;

namespace OpenGradient.Engine.Engine.Tests;

public sealed class RowExecutionTests
{
    [Theory]
    [InlineData(1, 0, 1)]
    [InlineData(7, 4, 3)]
    [InlineData(64, 61, 3)]
    public void Execute_AtAnySlot_GivesTheBitsOfTheRowsAlone(int batchRows, int firstSlot, int rows)
    {
        using var opened = OpenedModel.Open("digits");
        RowTensor[] inputs = [Pixels(Engines.Pixels(3, rows))];
        Assert.Null(opened.Execution.Execute(inputs, rows, rows, 0, Neighbours.Zero));
        var expected = opened.Execution.OutputBytes(0).ToArray();
        foreach (var neighbours in (Neighbours[])[Neighbours.Zero, Neighbours.Copies, Neighbours.Random(5), Neighbours.Extreme(6)])
        {
            Assert.Null(opened.Execution.Execute(inputs, rows, batchRows, firstSlot, neighbours));
            Assert.True(opened.Execution.IsSliced);
            Assert.Equal([rows, 10], opened.Execution.OutputShape(0));
            Assert.Equal(expected, opened.Execution.OutputBytes(0));
        }
    }

    [Fact]
    public async Task Execute_BatchAndSlotOfAnAnswer_ReproducesItsBits()
    {
        // Sums whose bits depend on batch size and slot: only the right ones reproduce them.
        foreach (var (name, width) in ((string, int)[])[("shape", 128 * 64), ("slot", 33)])
        {
            using var opened = OpenedModel.Open(name);
            await using var engine = await Engines.CreateWith(Engines.Options(name) with { Workers = 1, Determinism = Formats.DeterminismClass.B });
            await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
            {
                var random = new Random(i);
                var x = Enumerable.Range(0, width).Select(_ => random.NextSingle() - 0.5f).ToArray();
                long[] shape = name == "shape" ? [1, 128, 64] : [1, 33];
                using var result = await engine.InferAsync(new InferenceRequest(name).Add<float>("x", shape, x));
                lock (opened)
                {
                    Assert.Null(opened.Execution.Execute([new RowTensor(shape, Bytes(x))], 1, result.BatchRows, result.FirstSlot, Neighbours.Random((ulong)i)));
                    Assert.Equal(result.Bytes(0), opened.Execution.OutputBytes(0));
                }
            }));
        }
    }

    [Fact]
    public void Execute_ModelWithoutRows_GivesItsWholeOutputs()
    {
        using var opened = OpenedModel.Open("fixed");
        Assert.False(opened.Execution.HasRows);
        Assert.Null(opened.Execution.Execute([new RowTensor(new long[] { 1, 4 }, Bytes([1f, 2, 3, 4]))], 1, 1, 0, Neighbours.Zero));
        Assert.Equal([2f, 4, 6, 8], MemoryMarshal.Cast<byte, float>(opened.Execution.OutputBytes(0)));
    }

    [Theory]
    [InlineData(1, 2, 2, "slot 2 of a batch of 2")]
    [InlineData(2, 2, 0, "[1,64]")]
    [InlineData(0, 1, 0, "0 rows")]
    public void Execute_WhatDoesNotFit_IsNamed(int rows, int batchRows, int firstSlot, string expected)
    {
        using var opened = OpenedModel.Open("digits");
        var error = Assert.Throws<ArgumentException>(() => { opened.Execution.Execute([Pixels(new float[64])], rows, batchRows, firstSlot, Neighbours.Zero); });
        Assert.Contains(expected, error.Message);
        error = Assert.Throws<ArgumentException>(() => { opened.Execution.Execute([new RowTensor(new long[] { 1, 64 }, new byte[4])], 1, 1, 0, Neighbours.Zero); });
        Assert.Contains("'pixels' has 4 bytes, its shape takes 256", error.Message);
    }

    private static RowTensor Pixels(float[] pixels) => new(new long[] { pixels.Length / 64, 64 }, Bytes(pixels));

    private static byte[] Bytes(float[] values) => MemoryMarshal.AsBytes<float>(values).ToArray();
}
