using System.Text;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Llama;

/// <summary>A GGUF file that llama.cpp has loaded, as its own tools load it: mapped, and repacked where its kernels want that.</summary>
internal sealed unsafe class LlamaModel : IDisposable
{
    private readonly LlamaLibrary _library;
    private nint _model;

    public LlamaModel(LlamaLibrary library, string path)
    {
        _library = library;
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0')) _model = library.LoadModel(name, library.ModelDefaults());
        if (_model == 0) throw new InvalidOperationException($"llama.cpp cannot load '{path}'");
    }

    /// <summary>Bytes of its tensors.</summary>
    public ulong Size => _library.ModelSize(_model);

    public ulong Parameters => _library.ModelParameters(_model);

    /// <param name="context">Tokens of one sequence.</param>
    public LlamaContext NewContext(int sequences, int context, int threads) => new(_library, _model, sequences, context, threads);

    public void Dispose()
    {
        if (_model != 0) _library.FreeModel(_model);
        _model = 0;
    }
}
