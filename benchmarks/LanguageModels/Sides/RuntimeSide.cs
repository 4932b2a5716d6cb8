using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Sides;

/// <summary>One of the engine's runtimes, at the seam that its scheduler steps.</summary>
internal sealed class RuntimeSide(string name, ITokenRuntime runtime) : ISide
{
    public string Name => name;

    public SideThread Thread { get; } = new(name);

    public ITokenRuntime Runtime => runtime;

    public IDecoding NewDecoding(int sequences, int tokens) => new Decoding(runtime, sequences, tokens);

    public void Dispose()
    {
        Thread.Dispose();
        runtime.Dispose();
    }

    private sealed class Decoding : IDecoding
    {
        private readonly ITokenRuntime _runtime;
        private readonly ReadOnlyMemory<int>[] _pages;
        private readonly int[] _lengths;
        private readonly SequenceStep[] _steps;
        private readonly float[] _logits;
        private readonly int[] _token = new int[1];

        public Decoding(ITokenRuntime runtime, int sequences, int tokens)
        {
            (_runtime, _lengths, _steps) = (runtime, new int[sequences], new SequenceStep[sequences]);
            _logits = new float[sequences * runtime.Info.VocabularySize];
            var each = (tokens + runtime.Info.PageTokens - 1) / runtime.Info.PageTokens;
            if (each * sequences > runtime.Info.Pages) throw new InvalidOperationException($"{sequences} sequences of {tokens} tokens do not fit {runtime.Info.Pages} pages");
            _pages = [.. Enumerable.Range(0, sequences).Select(i => (ReadOnlyMemory<int>)Enumerable.Range(i * each, each).ToArray())];
        }

        public void Prefill(int sequence, int[] tokens)
        {
            var info = _runtime.Info;
            var most = info.Prefill == PrefillRule.FixedChunks ? info.PrefillChunk : info.MaxStepTokens;
            for (var at = 0; at < tokens.Length; at += most)
            {
                var count = Math.Min(most, tokens.Length - at);
                var rows = at + count == tokens.Length ? StepLogits.Last : StepLogits.None;
                _runtime.Step([new SequenceStep(tokens.AsMemory(at, count), at, _pages[sequence], rows)], _logits);
            }

            _lengths[sequence] = tokens.Length;
        }

        public void Decode(int token)
        {
            _token[0] = token;
            for (var i = 0; i < _steps.Length; i++) _steps[i] = new SequenceStep(_token, _lengths[i]++, _pages[i], StepLogits.Last);
            _runtime.Step(_steps, _logits);
        }

        public void Rewind(int length) => Array.Fill(_lengths, length);

        public void Dispose()
        {
        }
    }
}
