using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Engine.Tests;

public sealed class BadInputTests : IAsyncLifetime
{
    private InferenceEngine _engine = null!;

    public async Task InitializeAsync() => _engine = await Engines.CreateWith(
        Engines.Options("digits"),
        Engines.Options("add"),
        Engines.Options("multi"),
        Engines.Options("encoder"),
        Engines.Options("identity") with { NonFinite = NonFinitePolicy.Reject });

    public async Task DisposeAsync() => await _engine.DisposeAsync();

    [Fact]
    public Task Infer_UnknownModel_SaysSo() =>
        Refused(new InferenceRequest("nothing"), InferenceFailureKind.UnknownModel, "no model 'nothing'");

    [Fact]
    public Task Infer_UnknownVersion_SaysSo() =>
        Refused(new InferenceRequest("digits", "7"), InferenceFailureKind.UnknownModel, "version '7'");

    [Fact]
    public Task Infer_WrongName_NamesIt() =>
        Invalid(new InferenceRequest("digits").Add<float>("pixel", [1, 64], new float[64]), "pixel", "has no input 'pixel'");

    [Fact]
    public Task Infer_NoInputs_NamesTheMissingOne() =>
        Invalid(new InferenceRequest("digits"), "pixels", "input 'pixels' is missing");

    [Fact]
    public Task Infer_ExtraInput_NamesIt() =>
        Invalid(Engines.Digits(new float[64]).Add<float>("more", [1], new float[1]), "more", "has no input 'more'");

    [Fact]
    public Task Infer_InputTwice_NamesIt() =>
        Invalid(Engines.Digits(new float[64]).Add<float>("pixels", [1, 64], new float[64]), "pixels", "given twice");

    [Fact]
    public Task Infer_WrongType_NamesBoth() =>
        Invalid(new InferenceRequest("digits").Add<double>("pixels", [1, 64], new double[64]), "pixels", "has type Float64, the model takes Float32");

    [Theory]
    [InlineData(new long[] { 1, 63 }, 63)]
    [InlineData(new long[] { 64 }, 64)]
    [InlineData(new long[] { 1, 64, 1 }, 64)]
    [InlineData(new long[] { 0, 64 }, 0)]
    [InlineData(new long[] { -1, 64 }, 64)]
    public Task Infer_WrongShape_NamesBoth(long[] shape, int elements) =>
        Invalid(new InferenceRequest("digits").Add<float>("pixels", shape, new float[elements]), "pixels", "the model takes [-1,64]");

    [Theory]
    [InlineData(new long[] { 1, 64 }, 63)]
    [InlineData(new long[] { 1, 64 }, 65)]
    [InlineData(new long[] { 2, 64 }, 64)]
    [InlineData(new long[] { long.MaxValue, 64 }, 64)]
    public Task Infer_WrongByteCount_NamesBoth(long[] shape, int elements) =>
        Invalid(new InferenceRequest("digits").Add<float>("pixels", shape, new float[elements]), "pixels", $"has {elements * 4} bytes");

    [Fact]
    public Task Infer_TooManyRows_NamesTheLimit() =>
        Invalid(Engines.Digits(new float[65 * 64]), null, "has 65 rows, model 'digits' takes at most 64");

    [Fact]
    public Task Infer_RowsThatWouldBroadcast_AreRefused() => Invalid(
        new InferenceRequest("add").Add<float>("a", [2, 3], new float[6]).Add<float>("b", [1, 3], new float[3]), "b", "'batch' differs");

    [Fact]
    public Task Infer_MaskOfOtherRows_IsRefused() => Invalid(
        new InferenceRequest("encoder").Add<long>("input_ids", [2, 32], new long[64]).Add<long>("attention_mask", [1, 32], new long[32]), "attention_mask", "'batch' differs");

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public Task Infer_NotFinite_IsRefusedByPolicy(float value) =>
        Invalid(new InferenceRequest("identity").Add<float>("x", [1, 4], new[] { 0, 1, value, 3 }), "x", "holds a NaN or an infinity");

    [Fact]
    public async Task Infer_LargestFinite_PassesThePolicy()
    {
        float[] x = [float.MaxValue, float.MinValue, -0f, float.Epsilon];
        using var result = await _engine.InferAsync(new InferenceRequest("identity").Add<float>("x", [1, 4], x));
        Assert.Equal(x, result.Values<float>(0));
    }

    [Fact]
    public async Task Infer_NaNUnderAllow_IsExecuted()
    {
        var pixels = new float[64];
        pixels[5] = float.NaN;
        using var result = await _engine.InferAsync(Engines.Digits(pixels));
        Assert.True(float.IsNaN(result.Values<float>(0)[0]));
    }

    [Fact]
    public async Task Infer_BoolThatIsNeither_IsRefused()
    {
        var model = _engine.Find("multi")!;
        var request = new InferenceRequest("multi");
        foreach (var input in model.Inputs)
        {
            var bytes = new byte[2 * ElementTypes.SizeOf(input.Type)];
            if (input.Type == ElementType.Bool) bytes[1] = 2;
            request.Add(input.Name, input.Type, [1, 2], bytes);
        }

        await Invalid(request, model.Inputs.Single(input => input.Type == ElementType.Bool).Name, "neither 0 nor 1");
    }

    [Fact]
    public async Task InferAsync_BadInput_ThrowsTheSameFailure()
    {
        var error = await Assert.ThrowsAsync<InferenceException>(async () => await _engine.InferAsync(new InferenceRequest("nothing")));
        Assert.Equal(InferenceFailureKind.UnknownModel, error.Failure!.Kind);
    }

    [Fact]
    public void Add_TypeWithoutElements_IsACallersBug() =>
        Assert.Throws<ArgumentException>(() => new InferenceRequest("digits").Add<decimal>("pixels", [1], new decimal[1]));

    private async Task Invalid(InferenceRequest request, string? tensor, string words)
    {
        var failure = await Engines.Failure(_engine, request);
        Assert.Equal(InferenceFailureKind.InvalidInput, failure.Kind);
        Assert.Contains(words, failure.Message);
        Assert.Equal(tensor, failure.Tensor);
        // Nothing that was refused may have taken the engine's place or health.
        using var good = await _engine.InferAsync(Engines.Digits(new float[64]));
        Assert.Equal(10, good.Values<float>(0).Length);
    }

    private async Task Refused(InferenceRequest request, InferenceFailureKind kind, string words)
    {
        var failure = await Engines.Failure(_engine, request);
        Assert.Equal(kind, failure.Kind);
        Assert.Contains(words, failure.Message);
    }
}
