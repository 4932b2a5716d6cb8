using System.Runtime.InteropServices;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.OnnxRuntime;
using OpenGradient.Engine.Tensors;
using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Verification.Tests.Replay;

/// <summary>A shipped model with the class that it has on ONNX Runtime's CPU provider.</summary>
public sealed record TestModel(string Name, DeterminismClass Class, int PaddingMultiple = 1, int Threads = 1)
{
    public static readonly TestModel Digits = new("digits", DeterminismClass.A);

    /// <summary>Every model of the repository except <c>slow</c>, which takes seconds per call.</summary>
    public static readonly TestModel[] All =
    [
        Digits, new("encoder", DeterminismClass.A),
        new("identity", DeterminismClass.A), new("noop", DeterminismClass.A), new("add", DeterminismClass.A), new("multi", DeterminismClass.A),
        new("nan", DeterminismClass.A), new("lengths", DeterminismClass.A), new("fixed", DeterminismClass.A), new("shape", DeterminismClass.A, 2),
        new("shape", DeterminismClass.B), new("slot", DeterminismClass.B), new("totals", DeterminismClass.B), new("digits", DeterminismClass.B),
        new("dynq", DeterminismClass.C), new("external", DeterminismClass.A), new("totals", DeterminismClass.B, Threads: 2),
    ];

    public static OnnxRuntimeBackend Backend { get; } = new(OnnxRuntimeLibrary.Load());

    /// <summary>Takes long over all batch sizes, and is there under another class with all of them.</summary>
    public bool IsCostly => Class == DeterminismClass.B && Name == "digits";

    public string Path { get; } = File(Name);

    public static string File(string name) =>
        System.IO.Path.Combine(Root, "models", name is "digits" or "encoder" ? $"{name}/model.onnx" : $"tests/{name}.onnx");

    public ModelOptions Options => new() { Name = Name, Path = Path, Determinism = Class, PaddingMultiple = PaddingMultiple, Execution = new ExecutionOptions { IntraOpThreads = Threads }, AllowOversubscription = true };

    /// <summary>A request's inputs: the same for the same seed.</summary>
    /// <param name="length">Size of open inner dimensions.</param>
    public static NamedTensor[] Inputs(ModelInfo model, int seed, int rows = 1, int length = 7)
    {
        var random = new Random(seed);
        return [.. model.Inputs.Select(spec => Tensor(spec, random, rows, length))];
    }

    public override string ToString() => $"{Name} as {Class}{(PaddingMultiple == 1 ? "" : $" in multiples of {PaddingMultiple}")}{(Threads == 1 ? "" : $" with {Threads} threads")}";

    private static NamedTensor Tensor(TensorSpec spec, Random random, int rows, int length)
    {
        var shape = spec.Dimensions.ToArray();
        for (var i = 0; i < shape.Length; i++)
            if (shape[i] < 0) shape[i] = i == 0 ? rows : length;
        var count = checked((int)shape.Aggregate(1L, (product, dimension) => product * dimension));
        var data = new byte[count * ElementTypes.SizeOf(spec.Type)];
        // Token ids stay below the vocabulary, masks are 0 and 1, floats are of either sign, so that logarithms give NaN too.
        var limit = spec.Name.Contains("mask", StringComparison.Ordinal) || spec.Type == ElementType.Bool ? 2 : 120;
        for (var i = 0; i < count; i++) Write(data, i, spec.Type, random, limit);
        return new NamedTensor(spec.Name, spec.Type, shape, data);
    }

    private static void Write(byte[] data, int index, ElementType type, Random random, int limit)
    {
        switch (type)
        {
            case ElementType.Float32: MemoryMarshal.Cast<byte, float>(data.AsSpan())[index] = (random.NextSingle() - 0.4f) * 16; break;
            case ElementType.Float64: MemoryMarshal.Cast<byte, double>(data.AsSpan())[index] = random.NextDouble() - 0.5; break;
            default: data[index * ElementTypes.SizeOf(type)] = (byte)random.Next(limit); break;
        }
    }

    private static string Root
    {
        get
        {
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
                if (System.IO.File.Exists(System.IO.Path.Combine(folder.FullName, "OpenGradient.Engine.sln"))) return folder.FullName;
            throw new InvalidOperationException("the repository's root was not found");
        }
    }
}
