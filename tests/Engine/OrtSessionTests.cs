using OpenGradient.Engine.Backends;
using OpenGradient.Engine.OnnxRuntime;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Engine.Tests;

/// <summary>Tensors that a caller keeps across calls.</summary>
public sealed unsafe class OrtSessionTests : IDisposable
{
    private readonly NativeBuffer _memory = new();

    public OrtSessionTests() => _memory.Reserve(1024);

    [Fact]
    public void Run_OverKeptTensors_SeesWhatIsWrittenIntoThem()
    {
        using var session = Open(out _);
        using var call = session.NewCall([0]);
        var input = (float*)_memory.Pointer;
        var output = input + 64;
        call.SetInput(0, (byte*)input, [1, 8]);
        call.SetOutput(0, (byte*)output, [1, 8]);
        foreach (var start in new[] { 1, 5 })
        {
            for (var i = 0; i < 8; i++) input[i] = start + i;
            call.Run();
            for (var i = 0; i < 8; i++) Assert.Equal(start + i + i, output[i]);
        }
    }

    [Fact]
    public void Run_WithAnotherShape_NeedsTheTensorReplaced()
    {
        using var session = Open(out _);
        using var call = session.NewCall([0]);
        call.SetInput(0, _memory.Pointer, [2, 8]);
        call.SetOutput(0, _memory.Pointer + 256, [1, 8]);
        Assert.Throws<OnnxRuntimeException>(call.Run);
        call.SetOutput(0, _memory.Pointer + 256, [2, 8]);
        call.Run();
        call.SetInput(0, _memory.Pointer, [2, 9]);
        Assert.Throws<OnnxRuntimeException>(call.Run);
    }

    [Fact]
    public void Run_WithoutATensor_IsRefused()
    {
        using var session = Open(out _);
        using var call = session.NewCall([0]);
        call.SetInput(0, _memory.Pointer, [1, 8]);
        Assert.Throws<InvalidOperationException>(call.Run);
    }

    [Fact]
    public void SetInput_Impossible_IsRefused()
    {
        using var session = Open(out _);
        using var call = session.NewCall([0]);
        Assert.Throws<ArgumentNullException>(() => call.SetInput(0, null, [1, 8]));
        Assert.Throws<ArgumentOutOfRangeException>(() => call.SetInput(0, _memory.Pointer, [-1, 8]));
        Assert.Throws<OverflowException>(() => call.SetInput(0, _memory.Pointer, [long.MaxValue, 8]));
        Assert.Throws<ArgumentOutOfRangeException>(() => session.NewCall([]));
    }

    [Fact]
    public void Run_AfterDisposal_IsRefused()
    {
        var session = Open(out _);
        var call = session.NewCall([0]);
        call.SetInput(0, _memory.Pointer, [1, 8]);
        call.SetOutput(0, _memory.Pointer + 64, [1, 8]);
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(call.Run);
        call.Dispose();
        Assert.Throws<ObjectDisposedException>(call.Run);
    }

    [Fact]
    public void Fingerprint_OfASession_IsThatOfTheBackend()
    {
        using var session = Open(out _, new ExecutionOptions { IntraOpThreads = 2 });
        Assert.Equal("onnxruntime", session.Fingerprint.Backend);
        Assert.Contains("intra=2", session.Fingerprint.Options.Split(';'));
    }

    [Fact]
    public void Graph_OfAModel_ListsNodesAndConstants()
    {
        using var session = Open(out var graph);
        var node = Assert.Single(graph.Nodes);
        Assert.Equal(("", "Add"), (node.Domain, node.Operator));
        Assert.Equal(["x", "w"], node.Inputs);
        Assert.Equal(["y"], node.Outputs);
        Assert.Equal(["w"], graph.Constants);
        Assert.True(graph.IsFlat);
    }

    [Fact]
    public void Graph_WithSubgraphsOrFunctions_IsNotFlat()
    {
        // AttributeProto: name, then field 6, a graph; ModelProto: field 25, a function.
        var nested = Onnx.Model([Onnx.Node("If", ["x"], "y", [.. Onnx.Words(1, "then_branch"), .. Onnx.Bytes(6, Onnx.Words(2, "g"))])]);
        Assert.False(Read(nested).IsFlat);
        Assert.False(Read([.. Onnx.AddModel(Weight()), .. Onnx.Bytes(25, Onnx.Words(1, "f"))]).IsFlat);
    }

    [Fact]
    public void Graph_Attributes_AreTheIntegers()
    {
        var node = Onnx.Node("Op", ["x"], "y", [.. Onnx.Words(1, "bits"), .. Onnx.Varint(3, 4)], [.. Onnx.Words(1, "text"), .. Onnx.Words(4, "t")]);
        Assert.Equal([new("bits", 4)], Assert.Single(Read(Onnx.Model([node])).Nodes).Integers);
    }

    [Fact]
    public void Graph_OfBytesThatAreNone_IsRefused()
    {
        Assert.Throws<ModelLoadException>(() => Read([0xff, 0xff, 0xff]));
        Assert.Throws<ModelLoadException>(() => Read(Onnx.AddModel(Weight())[..20]));
    }

    public void Dispose() => _memory.Dispose();

    private static OrtSession Open(out OnnxGraph graph, ExecutionOptions? options = null)
    {
        var bytes = Onnx.AddModel(Weight());
        graph = Read(bytes);
        fixed (byte* model = bytes)
        {
            using var artifact = new ModelArtifact(new ReadOnlyNativeMemory(model, bytes.Length), [], default, memory: null);
            return OrtSession.Open(TestFiles.Library, "add", artifact, options ?? new ExecutionOptions());
        }
    }

    private static OnnxGraph Read(byte[] bytes)
    {
        fixed (byte* model = bytes) return OnnxGraph.Read("made", new ReadOnlyNativeMemory(model, bytes.Length));
    }

    /// <summary>w = 0, 1, 2 ... 7, inside the model.</summary>
    private static byte[] Weight() =>
    [
        .. Onnx.Varint(1, 8), .. Onnx.Varint(2, Onnx.Float), .. Onnx.Words(8, "w"),
        .. Onnx.Bytes(9, [.. Enumerable.Range(0, 8).Select(i => BitConverter.GetBytes((float)i))]),
    ];
}
