namespace OpenGradient.Engine.Engine.Tests;

public sealed class ModelLoadTests : IAsyncDisposable
{
    private readonly InferenceEngine _engine = Engines.Create();
    private readonly TempFolder _folder = new();

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public Task Load_ExternalWeights_IsRefused() => Refused(_folder.Write("external.onnx", ExternalModel()), ModelLoadReason.ExternalData);

    [Theory]
    [InlineData(0, 1)]
    [InlineData(64, 65)]
    [InlineData(65_536, 1)]
    public async Task Load_OptionsOutOfRange_NameTheOption(int maxBatch, int maxRows)
    {
        var options = Engines.Options("digits") with { MaxBatch = maxBatch, MaxRowsPerRequest = maxRows };
        var error = await Assert.ThrowsAsync<ArgumentException>(() => _engine.LoadModelAsync(options));
        Assert.Contains("Max", error.Message);
    }

    [Fact]
    public async Task Load_Cancelled_Stops()
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _engine.LoadModelAsync(Engines.Options("digits"), new CancellationToken(true)));
        Assert.Empty(_engine.Models);
    }

    private async Task Refused(string path, ModelLoadReason reason)
    {
        var options = new ModelOptions { Name = "bad", Path = path };
        var error = await Assert.ThrowsAsync<ModelLoadException>(() => _engine.LoadModelAsync(options));
        Assert.Equal(reason, error.Reason);
        Assert.Contains("'bad'", error.Message);
        Assert.Null(_engine.Find("bad"));
    }

    /// <summary>ModelProto{7: GraphProto{5: TensorProto{13: StringStringEntryProto{"location" → "../../etc/passwd"}}}}.</summary>
    private static byte[] ExternalModel()
    {
        byte[] entry = [.. Field(1, "location"u8), .. Field(2, "../../etc/passwd"u8)];
        return [0x08, 8, .. Field(7, Field(5, Field(13, entry)))];
    }

    private static byte[] Field(int number, ReadOnlySpan<byte> payload) => [(byte)((number << 3) | 2), (byte)payload.Length, .. payload];
}
