using System.Runtime.InteropServices;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Engine.Tests.Faults;

/// <summary>NaN and infinities by policy, in each floating-point type, at each place, against what the type itself says.</summary>
public sealed class FinitePolicyTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Infer_EveryHalf_IsRefusedExactlyWhenItIsNotFinite()
    {
        await using var engine = await Engine(ElementType.Float16, NonFinitePolicy.Reject);
        for (var bits = 0; bits <= ushort.MaxValue; bits++)
        {
            var value = BitConverter.UInt16BitsToHalf((ushort)bits);
            var outcome = await engine.TryInferAsync(Request(ElementType.Float16, [value]));
            if (Half.IsFinite(value) != outcome.IsSuccess) Assert.Fail($"0x{bits:x4} ({value}): {outcome.Failure?.Message ?? "an answer"}");
            if (outcome.IsSuccess) outcome.Result.Dispose();
        }
    }

    [Fact]
    public Task Infer_Floats_AreRefusedExactlyWhenNotFinite() => Exactly(ElementType.Float32, float.IsFinite,
        [0u, 1u, 0x7f7f_ffffu, 0x7f80_0000u, 0x7f80_0001u, 0x7fc0_0000u, 0x7fff_ffffu, 0x8000_0000u, 0xff7f_ffffu, 0xff80_0000u, 0xffff_ffffu], BitConverter.UInt32BitsToSingle);

    [Fact]
    public Task Infer_Doubles_AreRefusedExactlyWhenNotFinite() => Exactly(ElementType.Float64, double.IsFinite,
        [0ul, 1ul, 0x7fef_ffff_ffff_fffful, 0x7ff0_0000_0000_0000ul, 0x7ff0_0000_0000_0001ul, 0x7ff8_0000_0000_0000ul, 0x7fff_ffff_ffff_fffful, 0x8000_0000_0000_0000ul, 0xffef_ffff_ffff_fffful, 0xfff0_0000_0000_0000ul, 0xffff_ffff_ffff_fffful],
        BitConverter.UInt64BitsToDouble);

    [Theory]
    [InlineData(ElementType.Float16)]
    [InlineData(ElementType.Float32)]
    [InlineData(ElementType.Float64)]
    public async Task Infer_NotFiniteUnderAllow_ComesBackBitForBit(ElementType type)
    {
        await using var engine = await Engine(type, NonFinitePolicy.Allow);
        var bytes = new byte[64];
        Array.Fill(bytes, (byte)0xff);
        using var result = await engine.InferAsync(new InferenceRequest("finite").Add("x", type, [64 / ElementTypes.SizeOf(type)], bytes));
        Assert.Equal(bytes, result.Bytes(0));
    }

    /// <summary>Integers of the same bits are numbers like any other.</summary>
    [Fact]
    public async Task Infer_IntegersUnderReject_AreNeverNotFinite()
    {
        await using var engine = await Engine(ElementType.Int32, NonFinitePolicy.Reject);
        using var result = await engine.InferAsync(Request<int>(ElementType.Int32, [0x7f80_0000, -1, 0x7fc0_0000]));
        Assert.Equal([0x7f80_0000, -1, 0x7fc0_0000], result.Values<int>(0).ToArray());
    }

    // Among 1 to 40 finite values, so that the vectorised and the remaining part both meet it.
    private async Task Exactly<T, TBits>(ElementType type, Func<T, bool> isFinite, TBits[] patterns, Func<TBits, T> from) where T : unmanaged
    {
        await using var engine = await Engine(type, NonFinitePolicy.Reject);
        var random = new Random(7);
        foreach (var pattern in patterns)
        {
            for (var count = 1; count <= 40; count++)
            {
                var values = new T[count];
                values[random.Next(count)] = from(pattern);
                var outcome = await engine.TryInferAsync(Request(type, values));
                if (isFinite(from(pattern)) != outcome.IsSuccess) Assert.Fail($"{pattern:x} among {count}: {outcome.Failure?.Message ?? "an answer"}");
                if (outcome.IsSuccess) outcome.Result.Dispose();
            }
        }
    }

    private static InferenceRequest Request<T>(ElementType type, T[] values) where T : unmanaged =>
        new InferenceRequest("finite").Add("x", type, [values.Length], MemoryMarshal.AsBytes<T>(values).ToArray());

    private async Task<InferenceEngine> Engine(ElementType type, NonFinitePolicy policy)
    {
        var model = new OnnxBytes().Input("x", type, "batch").Node("Identity", ["x"], ["y"]).Output("y", type, "batch");
        return await Engines.CreateWith(new ModelOptions { Name = "finite", Path = _folder.Write("finite.onnx", model.Build()), NonFinite = policy });
    }
}
