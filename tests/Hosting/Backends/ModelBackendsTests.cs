using System.Collections;
using System.Text;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Hosting.Backends;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Models;
using OpenGradient.Engine.OnnxRuntime;
using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.Hosting.Tests.Backends;

/// <summary>Which backend a model goes to, and what its configuration says of it. Nothing here needs libtorch.</summary>
public sealed class ModelBackendsTests : IDisposable
{
    private static readonly string Models = Path.Combine(RepositoryRoot.Path, "models");
    private static readonly string TorchScript = Path.Combine(Models, "torch", "tests", "identity.pt");
    private static readonly string Onnx = Path.Combine(Models, "tests", "identity.onnx");

    private readonly string _folder = Directory.CreateTempSubdirectory("og-backends-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Load_TorchScript_GoesToTorchOnlyThen()
    {
        var torch = new RefusingBackend();
        var asked = 0;
        await using var engine = Engine(() => { asked++; return torch; });
        await engine.LoadModelAsync(new ModelOptions { Name = "onnx", Path = Onnx });
        Assert.Equal((0, 0), (asked, torch.Opened));
        // By the bytes: no name makes a model of one format into one of the other.
        foreach (var path in (string[])[TorchScript, Copy(TorchScript, "named.onnx")])
            Assert.Contains("opened by torch", (await Assert.ThrowsAsync<ModelLoadException>(() => engine.LoadModelAsync(new ModelOptions { Name = "torch", Path = path }))).Message);
        Assert.Equal((1, 2), (asked, torch.Opened));
        await engine.LoadModelAsync(new ModelOptions { Name = "onnx", Path = Copy(Onnx, "named.pt") });
        Assert.Equal(2, torch.Opened);
    }

    [Fact]
    public async Task Load_TorchScriptWithoutLibtorch_SaysWhatIsMissingAndOnnxServesOn()
    {
        await using var engine = Engine(() => throw new TorchException("libog_torch.so was not found"));
        await engine.LoadModelAsync(new ModelOptions { Name = "identity", Path = Onnx });
        for (var time = 0; time < 2; time++)
        {
            var error = await Assert.ThrowsAsync<ModelLoadException>(() => engine.LoadModelAsync(new ModelOptions { Name = "torch", Path = TorchScript }));
            Assert.Equal(ModelLoadReason.Unsupported, error.Reason);
            Assert.Contains("'torch' is TorchScript, and libtorch cannot be used: libog_torch.so was not found", error.Message);
        }

        using var result = await engine.InferAsync(new InferenceRequest("identity").Add<float>("x", [1, 4], new float[4]));
        Assert.Equal(4, result.Values<float>(0).Length);
    }

    [Theory]
    [InlineData("PK\x03\x04rest", ModelFormat.TorchScript)]
    [InlineData("PK\x03\x04", ModelFormat.TorchScript)]
    [InlineData("PK\x03", ModelFormat.Onnx)]
    [InlineData("PK\x05\x06", ModelFormat.Onnx)]
    [InlineData("", ModelFormat.Onnx)]
    [InlineData("anything else", ModelFormat.Onnx)]
    public unsafe void Format_OfBytes_IsTheFirstFour(string text, ModelFormat expected)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        fixed (byte* pointer = bytes) Assert.Equal(expected, ModelFormats.Of(new ReadOnlyNativeMemory(pointer, bytes.Length)));
        var file = Path.Combine(_folder, "file");
        File.WriteAllBytes(file, bytes);
        Assert.Equal(expected, ModelFormats.OfFile(file));
    }

    [Fact]
    public void Format_OfWhatIsNoRegularFile_IsOnnxWithoutWaiting()
    {
        Assert.Equal(ModelFormat.Onnx, ModelFormats.OfFile(Path.Combine(_folder, "absent")));
        Assert.Equal(ModelFormat.Onnx, ModelFormats.OfFile(_folder));
        Assert.Equal(ModelFormat.Onnx, ModelFormats.OfFile("/dev/zero"));
    }

    [Fact]
    public void Read_TorchModel_TakesTheFiguresOfItsBackend()
    {
        var torch = new TorchConfiguration { Provider = "cuda", DeviceId = 1, AllowCpuFallback = true, Workers = 3 };
        var options = ModelFolder.Read(new ModelConfiguration { Path = TorchScript, IntraOpThreads = 1 }, new OnnxRuntimeConfiguration { Workers = 2 }, torch);
        Assert.Equal(new ExecutionOptions { Device = ExecutionDevice.Cuda, DeviceId = 1, AllowCpuFallback = true }, options.Execution);
        Assert.Equal(3, options.Workers);
        options = ModelFolder.Read(new ModelConfiguration { Path = Onnx }, new OnnxRuntimeConfiguration { Workers = 2 }, torch);
        Assert.Equal(new ExecutionOptions(), options.Execution);
        Assert.Equal(2, options.Workers);
    }

    [Fact]
    public void Read_FolderOfATorchModel_IsItsFile()
    {
        var options = ModelFolder.Read(new ModelConfiguration { Path = Path.Combine(Models, "torch", "encoder") }, new OnnxRuntimeConfiguration(), new TorchConfiguration());
        Assert.Equal(Path.Combine(Models, "torch", "encoder", "model.pt"), options.Path);
        Assert.Equal("encoder", options.Name);
    }

    [Theory]
    [InlineData("torch", true, true)]
    [InlineData("onnxRuntime", false, true)]
    [InlineData("torch", false, false)]
    [InlineData("onnxRuntime", true, false)]
    public void Read_BackendThatIsAskedFor_MustExecuteTheFile(string backend, bool isTorch, bool holds)
    {
        ModelOptions Read() => ModelFolder.Read(new ModelConfiguration { Path = isTorch ? TorchScript : Onnx, Backend = backend }, new OnnxRuntimeConfiguration(), new TorchConfiguration());
        if (holds) Assert.NotNull(Read());
        else Assert.Contains($"backend is {backend}", Assert.Throws<ConfigurationException>(Read).Message);
    }

    [Fact]
    public void Check_TorchValuesOutOfRange_NameTheirKeys()
    {
        var error = Assert.Throws<ConfigurationException>(() => ConfigurationLoader.Load(null, new Hashtable(),
            ["torch.provider=gpu", "torch.deviceId=-1", "torch.workers=65", "torch.runtime=else", "models=[{\"path\":\"m\",\"backend\":\"tensorflow\"}]"]));
        foreach (var key in (string[])["torch.provider", "torch.deviceId", "torch.workers", "torch.runtime", "models[0].backend"])
            Assert.Contains(error.Errors, line => line.StartsWith(key + ":", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_TorchSection_KeepsTheDefaultsOfWhatIsNotGiven()
    {
        var file = Path.Combine(_folder, "og.json");
        File.WriteAllText(file, """{"torch":{"library":"lib/libog_torch.so"}}""");
        var torch = ConfigurationLoader.Load(file, new Hashtable(), []).Torch;
        Assert.Equal(new TorchConfiguration { Library = Path.Combine(_folder, "lib", "libog_torch.so") }, torch);
        Assert.False(torch.AllowTf32);
    }

    private static InferenceEngine Engine(Func<IModelBackend> torch) =>
        new(new InferenceEngineOptions { Backend = new ModelBackends(OnnxRuntimeLibrary.Load(), torch) });

    private string Copy(string file, string name)
    {
        var copy = Path.Combine(_folder, name);
        File.Copy(file, copy);
        return copy;
    }

    private sealed class RefusingBackend : IModelBackend
    {
        public int Opened { get; private set; }

        public IBackendModel Open(string modelName, ModelArtifact artifact, ExecutionOptions options)
        {
            Opened++;
            throw new ModelLoadException(ModelLoadReason.Unsupported, "opened by torch");
        }
    }
}
