using OpenGradient.Engine.Formats;

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
    public Task Load_MissingFile_IsUnreadable() => Refused(Path.Combine(_folder.Path, "none.onnx"), ModelLoadReason.Unreadable);

    [Fact]
    public Task Load_Folder_IsUnreadable() => Refused(_folder.Path, ModelLoadReason.Unreadable);

    [Fact]
    public Task Load_EmptyFile_IsEmpty() => Refused(_folder.Write("empty.onnx", []), ModelLoadReason.Empty);

    [Fact]
    public Task Load_Garbage_IsCorrupt() => Refused(_folder.Write("garbage.onnx", "this is not protobuf at all"u8), ModelLoadReason.Corrupt);

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(2_000_000)]
    public Task Load_Truncated_IsCorrupt(int kept) =>
        Refused(_folder.Write("cut.onnx", File.ReadAllBytes(TestFiles.Model("digits")).AsSpan(0, kept)), ModelLoadReason.Corrupt);

    [Fact]
    public Task Load_ExternalWeights_IsRefused() => Refused(_folder.Write("external.onnx", ExternalModel()), ModelLoadReason.ExternalData);

    [Fact]
    public Task Load_CudaWithoutTheLibrary_IsRefused() =>
        Refused(TestFiles.Model("identity"), ModelLoadReason.DeviceMissing, new() { Device = Backends.ExecutionDevice.Cuda });

    [Fact]
    public async Task Load_CudaWithFallback_SaysThatItFellBack()
    {
        var options = Engines.Options("identity") with { Execution = new() { Device = Backends.ExecutionDevice.Cuda, AllowCpuFallback = true } };
        var info = await _engine.LoadModelAsync(options);
        Assert.Equal("cpu", info.Context.Runtime.Provider);
        Assert.Contains("fallback=cpu", info.Context.Runtime.Options);
    }

    [Fact]
    public async Task Load_Failed_LeavesTheOldOneServing()
    {
        await _engine.LoadModelAsync(Engines.Options("digits"));
        var broken = Engines.Options("digits") with { Path = _folder.Write("broken.onnx", "junk"u8) };
        await Assert.ThrowsAsync<ModelLoadException>(() => _engine.LoadModelAsync(broken));
        Assert.Equal(40, (await Engines.Answer(_engine, Engines.Digits(new float[64]))).Length);
    }

    [Fact]
    public async Task Load_Model_IsIdentifiedByItsBytes()
    {
        var info = await _engine.LoadModelAsync(Engines.Options("digits"));
        using var identity = new ModelIdentity();
        identity.Append(File.ReadAllBytes(TestFiles.Model("digits")));
        Assert.Equal(identity.Finish(), info.Identity);
        Assert.True(info.IsBatchable);
        Assert.Equal("onnxruntime", info.Context.Runtime.Backend);
        Assert.Equal(info.Context.Encode(), StatementContext.Decode(info.Context.Encode()).Encode());
        Assert.Equal("pixels: Float32[-1,64]", info.Inputs[0].ToString());
    }

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

    private async Task Refused(string path, ModelLoadReason reason, Backends.ExecutionOptions? execution = null)
    {
        var options = new ModelOptions { Name = "bad", Path = path, Execution = execution ?? new() };
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
