using OpenGradient.Engine.Benchmarks.LanguageModels.Llama;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Sides;

internal sealed class LlamaSide(LlamaLibrary library, string path, int threads) : ISide
{
    private readonly LlamaModel _model = new(library, path);

    public string Name => "llama.cpp";

    public SideThread Thread { get; } = new("llama.cpp");

    public LlamaModel Model => _model;

    public IDecoding NewDecoding(int sequences, int tokens) => new Decoding(_model.NewContext(sequences, tokens, threads), sequences);

    public void Dispose()
    {
        Thread.Dispose();
        _model.Dispose();
    }

    private sealed class Decoding(LlamaContext context, int sequences) : IDecoding
    {
        private readonly int[] _lengths = new int[sequences];

        public void Prefill(int sequence, int[] tokens)
        {
            context.Truncate(sequence, 0);
            for (var i = 0; i < tokens.Length; i++)
            {
                context.Add(tokens[i], i, sequence, i + 1 == tokens.Length);
                if (context.Room == 0 || i + 1 == tokens.Length) context.Run();
            }

            _lengths[sequence] = tokens.Length;
        }

        public void Decode(int token)
        {
            for (var i = 0; i < sequences; i++) context.Add(token, _lengths[i]++, i, withLogits: true);
            context.Run();
        }

        public void Rewind(int length)
        {
            for (var i = 0; i < sequences; i++)
            {
                context.Truncate(i, length);
                _lengths[i] = length;
            }
        }

        public void Dispose() => context.Dispose();
    }
}
