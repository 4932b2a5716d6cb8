using OpenGradient.Engine.Backends;
using OpenGradient.Engine.OnnxRuntime;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Engine.Tests.Faults;

/// <summary>Models whose outputs are not what they declare, over a double and over ONNX Runtime.</summary>
public sealed class LyingModelTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, long[], long> Lies => new()
    {
        { "a wider row", [1, 3], 24 },
        { "a narrower row", [1, 1], 8 },
        { "transposed", [2, 1], 16 },
        { "a dimension more", [1, 2, 1], 16 },
        { "a dimension less", [2], 16 },
        { "no dimension", [], 8 },
        { "a negative row", [1, -2], 16 },
        { "a row that overflows", [1, long.MaxValue], 16 },
        { "bytes of another type", [1, 2], 8 },
        { "no bytes", [1, 2], 0 },
        { "more bytes", [1, 2], 1 << 20 },
    };

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task Infer_OutputThatIsNotAsDeclared_IsRefusedByName(string lie, long[] shape, long bytes)
    {
        var backend = new OddBackend();
        await using var engine = backend.Engine();
        await engine.LoadModelAsync(OddBackend.Options);
        backend.Call = buffers =>
        {
            buffers.OutputShapes[0] = shape;
            buffers.OutputBytes[0] = bytes;
            return null;
        };
        var failure = await Engines.Failure(engine, OddBackend.Request(1, 2));
        Assert.Equal(InferenceFailureKind.BackendFailed, failure.Kind);
        Assert.True(failure.Message.Contains("output 'y'", StringComparison.Ordinal), $"{lie}: {failure.Message}");
        Assert.Contains(string.Join(',', shape), failure.Message);
        backend.Call = null;
        using var good = await engine.InferAsync(OddBackend.Request(3, 4));
        Assert.Equal([3L, 4], good.Values<long>(0).ToArray());
    }

    [Fact]
    public async Task Infer_OneRowMissing_IsNotSlicedAndGivesNobodyAnotherOnesRow()
    {
        var backend = new OddBackend { Output = new TensorSpec("y", ElementType.Int64, [-1, 2], [null, null]) };
        await using var engine = backend.Engine();
        await engine.LoadModelAsync(OddBackend.Options);
        backend.Call = buffers =>
        {
            if (buffers.Rows == 1) return null;
            buffers.OutputShapes[0] = [buffers.Rows - 1, 2];
            buffers.OutputBytes[0] = (buffers.Rows - 1) * 16;
            return null;
        };
        var values = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Task.Run(async () =>
        {
            using var result = await engine.InferAsync(OddBackend.Request(i, -i));
            return result.Values<long>(0).ToArray();
        })));
        for (var i = 0; i < values.Length; i++) Assert.Equal([i, -i], values[i]);
    }

    [Theory]
    [InlineData(0, "one row less than declared")]
    [InlineData(1, "transposed")]
    [InlineData(2, "another rank")]
    [InlineData(3, "another type")]
    public async Task Infer_OnnxModelThatLies_IsRefusedAtLoadOrByNameAndLeavesTheOthersServing(int which, string what)
    {
        await using var engine = await Engines.CreateWith(Engines.Options("digits"));
        if (await TryLoad(engine, Lying(which)) is { } refused)
        {
            Assert.Contains("'lying'", refused.Message);
        }
        else
        {
            // Four rows of four, transposed, are as declared: only never sharing a call keeps them from being mixed up.
            Assert.False(engine.Find("lying")!.IsBatchable);
            var outcomes = await Task.WhenAll(Enumerable.Range(1, 12).Where(rows => rows != 4).Select(rows => engine.TryInferAsync(Rows(rows)).AsTask()));
            foreach (var outcome in outcomes)
            {
                Assert.True(outcome.Failure is { Kind: InferenceFailureKind.BackendFailed }, $"{what}: {outcome.Failure?.Message ?? "an answer"}");
                Assert.DoesNotContain("/", outcome.Failure!.Message);
            }
        }

        Assert.Equal(40, (await Engines.Answer(engine, Engines.Digits(Engines.Pixels(1)))).Length);
    }

    /// <summary>y = x·xᵀ: each row has an element for each row beside it, and would show a caller its neighbours.</summary>
    [Theory]
    [InlineData("batch", "batch")]
    [InlineData(null, null)]
    public async Task Infer_OutputThatGrowsWithTheBatch_IsNeverShared(string? rows, string? columns)
    {
        await using var engine = Engines.Create();
        var model = new OnnxBytes().Input("x", ElementType.Float32, "batch", 4)
            .Node("Transpose", ["x"], ["t"]).Node("MatMul", ["x", "t"], ["y"]).Output("y", ElementType.Float32, rows, columns);
        await engine.LoadModelAsync(Options(model));
        Assert.False(engine.Find("lying")!.IsBatchable);
        var shapes = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Task.Run(async () =>
        {
            using var result = await engine.InferAsync(Rows(1 + (i % 3)));
            return result.Shape(0).ToArray();
        })));
        for (var i = 0; i < shapes.Length; i++) Assert.Equal([1 + (i % 3), 1 + (i % 3)], shapes[i]);
    }

    [Fact]
    public async Task Infer_InputWhoseRowsStandInTwoDimensions_IsNeverShared()
    {
        await using var engine = Engines.Create();
        var model = new OnnxBytes().Input("x", ElementType.Float32, "n", "n").Node("Transpose", ["x"], ["y"]).Output("y", ElementType.Float32, "n", "n");
        await engine.LoadModelAsync(Options(model));
        Assert.False(engine.Find("lying")!.IsBatchable);
        await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Task.Run(async () =>
        {
            using var result = await engine.InferAsync(new InferenceRequest("lying").Add<float>("x", [2, 2], new float[] { i, 1, 2, 3 }));
            Assert.Equal<float>([i, 2, 1, 3], result.Values<float>(0).ToArray());
        })));
        var failure = await Engines.Failure(engine, new InferenceRequest("lying").Add<float>("x", [2, 3], new float[6]));
        Assert.Contains("'n' differs", failure.Message);
    }

    [Fact]
    public async Task Infer_AllocationThatCannotSucceed_FailsThatRequestOnly()
    {
        await using var engine = Engines.Create();
        // The caller's numbers say how large the answer is.
        var model = new OnnxBytes().Input("size", ElementType.Int64, 1).Weight("one", [1], 1)
            .Node("Expand", ["one", "size"], ["y"]).Output("y", ElementType.Int64, new object?[] { null });
        await engine.LoadModelAsync(Options(model));
        foreach (var size in new[] { 1L << 61, long.MaxValue, -1, 1L << 60 })
        {
            var failure = await Engines.Failure(engine, Size(size));
            Assert.Equal(InferenceFailureKind.BackendFailed, failure.Kind);
            using var good = await engine.InferAsync(Size(3));
            Assert.Equal([1L, 1, 1], good.Values<long>(0).ToArray());
        }

        using var empty = await engine.InferAsync(Size(0));
        Assert.Equal(0, empty.Bytes(0).Length);
    }

    private static InferenceRequest Size(long size) => new InferenceRequest("lying").Add<long>("size", [1], new[] { size });

    public static TheoryData<object?[]> TooLarge => new()
    {
        { ["batch", 1L << 57] },
        { ["batch", 1L << 61] },
        { ["batch", 1L << 62, 4] },
        { ["batch", long.MaxValue, long.MaxValue] },
        { [1L << 40, 8] },
        { [1L << 61] },
    };

    [Theory]
    [MemberData(nameof(TooLarge))]
    public async Task Load_RowThatNoRequestCouldHold_IsRefused(object?[] dimensions)
    {
        await using var engine = Engines.Create();
        var refused = await TryLoad(engine, new OnnxBytes().Input("x", ElementType.Float32, dimensions).Node("Identity", ["x"], ["y"]).Output("y", ElementType.Float32, dimensions));
        Assert.NotNull(refused);
        Assert.Contains("'x'", refused.Message);
        Assert.Contains("'lying'", refused.Message);
    }

    [Fact]
    public async Task Load_RankBeyondTheLimit_IsRefused()
    {
        await using var engine = Engines.Create();
        var dimensions = Enumerable.Repeat<object?>(1L, 9).ToArray();
        var refused = await TryLoad(engine, new OnnxBytes().Input("x", ElementType.Float32, dimensions).Node("Identity", ["x"], ["y"]).Output("y", ElementType.Float32, dimensions));
        Assert.Equal(ModelLoadReason.Unsupported, refused!.Reason);
        Assert.Contains("rank 9", refused.Message);
    }

    private static async Task<ModelLoadException?> TryLoad(InferenceEngine engine, ModelOptions options)
    {
        try
        {
            await engine.LoadModelAsync(options);
            return null;
        }
        catch (ModelLoadException refused)
        {
            return refused;
        }
    }

    private Task<ModelLoadException?> TryLoad(InferenceEngine engine, OnnxBytes model) => TryLoad(engine, Options(model));

    private ModelOptions Options(OnnxBytes model) => new() { Name = "lying", Path = _folder.Write("lying.onnx", model.Build()) };

    private static InferenceRequest Rows(int rows) => new InferenceRequest("lying").Add<float>("x", [rows, 4], Engines.Pixels(rows).AsMemory(0, rows * 4));

    private static OnnxBytes Lying(int which) => which switch
    {
        // Slice x[1:]: one row less than declared.
        0 => new OnnxBytes().Input("x", ElementType.Float32, "batch", 4).Weight("one", [1], 1).Weight("end", [1], int.MaxValue).Weight("axis", [1], 0)
            .Node("Slice", ["x", "one", "end", "axis"], ["y"]).Output("y", ElementType.Float32, "batch", 4),
        1 => new OnnxBytes().Input("x", ElementType.Float32, "batch", 4).Node("Transpose", ["x"], ["y"]).Output("y", ElementType.Float32, "batch", 4),
        2 => new OnnxBytes().Input("x", ElementType.Float32, "batch", 4).Weight("axis", [1], 1)
            .Node("Unsqueeze", ["x", "axis"], ["y"]).Output("y", ElementType.Float32, "batch", 4),
        _ => new OnnxBytes().Input("x", ElementType.Float32, "batch", 4).Node("Identity", ["x"], ["y"]).Output("y", ElementType.Int64, "batch", 4),
    };
}
