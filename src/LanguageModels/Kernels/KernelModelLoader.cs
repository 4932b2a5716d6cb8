using System.Text;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Kernels.Interop;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.Native;

namespace OpenGradient.Engine.LanguageModels.Kernels;

/// <summary>
/// Takes a folder in Hugging Face's layout to a running model. The constructor checks everything that can be checked without
/// reading weights; <see cref="Load"/> reads each tensor once, hashes it and packs it.
/// </summary>
internal sealed unsafe class KernelModelLoader : IDisposable
{
    private readonly FolderTexts _texts;
    private readonly SafetensorsFolder _folder;
    private readonly HashSet<string> _needed;

    /// <exception cref="LanguageModelLoadException">Configuration or headers are malformed, or do not fit each other.</exception>
    public KernelModelLoader(string folder, FolderTexts texts)
    {
        _texts = texts;
        Configuration = ModelConfiguration.Parse(texts[ConfigurationReader.FileName]);
        _folder = SafetensorsFolder.Open(folder);
        try
        {
            _needed = ExpectedTensors.Check(Configuration, _folder);
        }
        catch
        {
            _folder.Dispose();
            throw;
        }
    }

    public ModelConfiguration Configuration { get; }

    /// <summary>The runtime is the caller's to dispose. When loading fails or is cancelled, everything that was taken is freed.</summary>
    /// <exception cref="LanguageModelLoadException">Options, memory or a file stand against it.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public KernelRuntime Load(WeightScheme scheme, LanguageModelLoadOptions options, CancellationToken cancellation)
    {
        var library = KernelLibrary.Load(options.KernelsLibrary);
        var plan = KernelPlan.Make(library, Configuration, scheme, options);
        var largest = _folder.Tensors.Values.Max(stored => stored.Tensor.Length);
        if (plan.TotalBytes > MachineMemory.Available() - largest)
            throw new LanguageModelLoadException($"the model needs {plan.TotalBytes + largest} bytes of memory (weights as packed, cache, work space, the largest tensor), more than is free");

        var model = Create(library, plan);
        try
        {
            var leaves = Pack(library.Functions, model, new TensorReader(largest, (int)plan.Config.Threads), options.Progress, cancellation);
            Finish(library.Functions, model);
            var identity = new LanguageModelIdentity(scheme, leaves, _texts.Roots());
            return new KernelRuntime(library.Functions, model, Describe(library, plan, scheme, options.InstructionSet, identity), identity);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    public void Dispose() => _folder.Dispose();

    private static NativeHandle Create(KernelLibrary library, KernelPlan plan)
    {
        var config = plan.Config;
        nint model;
        NativeError error;
        KernelStatus.Check(library.Functions.ModelCreate(&config, &model, &error), error);
        return new NativeHandle(model, library.Functions.ModelFree);
    }

    private List<TensorLeaf> Pack(KernelFunctions functions, NativeHandle model, TensorReader tensor, IProgress<LoadProgress>? progress, CancellationToken cancellation)
    {
        using var reader = tensor;
        var leaves = new List<TensorLeaf>();
        var total = _folder.Tensors.Values.Sum(stored => stored.Tensor.Length);
        long done = 0;
        // As they lie on the disk, so that files are read from one end to the other.
        foreach (var stored in _folder.Tensors.Values.OrderBy(each => each.File.Name, StringComparer.Ordinal).ThenBy(each => each.Tensor.Offset))
        {
            var (file, header) = stored;
            var root = reader.Read(stored, cancellation);
            leaves.Add(new TensorLeaf(header.Name, header.Type, header.Shape, header.Length, root));
            if (_needed.Contains(header.Name)) Set(functions, model, file.Name, header, reader.Memory);
            done += header.Length;
            progress?.Report(new LoadProgress(done, total));
        }

        return leaves;
    }

    private static void Set(KernelFunctions functions, NativeHandle model, string file, SafetensorsTensor tensor, byte* memory)
    {
        var dimensions = tensor.Shape.Select(dimension => (ulong)dimension).ToArray();
        using var loan = model.Borrow();
        NativeError error;
        fixed (byte* name = Encoding.UTF8.GetBytes(tensor.Name + '\0'))
        fixed (ulong* shape = dimensions)
        {
            try
            {
                KernelStatus.Check(
                    functions.ModelSet(loan.Value, name, TypeCode(tensor.Type), shape, (uint)dimensions.Length, memory, (ulong)tensor.Length, &error), error);
            }
            catch (TokenRuntimeException refused)
            {
                throw new LanguageModelLoadException($"{file}: tensor {Quoted.Of(tensor.Name)}: {refused.Message}", refused);
            }
        }
    }

    private static uint TypeCode(string type) => type switch { "F32" => 1, "F16" => 2, _ => 3 }; // OGK_TYPE_...

    private static void Finish(KernelFunctions functions, NativeHandle model)
    {
        using var loan = model.Borrow();
        NativeError error;
        KernelStatus.Check(functions.ModelFinish(loan.Value, &error), error);
    }

    private TokenModelInfo Describe(KernelLibrary library, KernelPlan plan, WeightScheme scheme, string? instructionSet, LanguageModelIdentity identity) => new()
    {
        Architecture = Configuration.Architecture switch { ModelArchitecture.Llama => "llama", ModelArchitecture.Qwen2 => "qwen2", _ => "qwen3" },
        Identity = identity.Value,
        // Threads, pages and step sizes change no bits, so they are not in it.
        Runtime = new RuntimeFingerprint(
            "og-kernels", library.Version, library.Digest, "cpu",
            $"{library.NumericsClass(scheme, instructionSet)}+{library.IsaName(instructionSet)}", WeightSchemes.TextOf(scheme), ""),
        VocabularySize = Configuration.Vocabulary,
        HiddenSize = Configuration.Hidden,
        ContextLength = (int)plan.Config.Context,
        PageTokens = (int)plan.Config.PageTokens,
        Pages = (int)plan.Config.Pages,
        PageBytes = plan.PageBytes,
        MaxSequences = (int)plan.Config.MaxSequences,
        MaxStepTokens = (int)plan.Config.MaxStepTokens,
        Prefill = PrefillRule.Anywhere,
        PrefillEqualsDecode = true,
    };
}
