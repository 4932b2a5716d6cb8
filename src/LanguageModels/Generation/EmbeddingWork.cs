using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.LanguageModels.Generation;

/// <summary>The last token's final hidden state of one text, scaled to length 1.</summary>
internal sealed class EmbeddingWork(int[] tokens, int piece) : CacheWork
{
    private readonly TaskCompletionSource<float[]> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _cached;

    public Task<float[]> Result => _result.Task;

    public override Task Completion => _result.Task;

    public override int Tokens => tokens.Length;

    public override bool Advance(ITokenRuntime runtime, ReadOnlyMemory<int> pages)
    {
        var next = tokens.AsMemory(_cached, Math.Min(piece, tokens.Length - _cached));
        var step = new SequenceStep(next, _cached, pages, StepLogits.None);
        _cached += next.Length;
        if (_cached < tokens.Length)
        {
            runtime.Step([step], []);
            return false;
        }

        var hidden = new float[runtime.Info.HiddenSize];
        runtime.Embed(step, hidden);
        _result.TrySetResult(Normalize(hidden));
        return true;
    }

    public override void Fail(Exception error) => _result.TrySetException(error);

    /// <summary>In the order of the elements, in double precision: the same bits everywhere.</summary>
    private static float[] Normalize(float[] values)
    {
        var sum = 0.0;
        foreach (var value in values) sum += (double)value * value;
        if (!double.IsFinite(sum)) throw new TokenRuntimeException("a hidden state is not finite");
        var length = Math.Sqrt(sum);
        if (length > 0)
            for (var i = 0; i < values.Length; i++) values[i] = (float)(values[i] / length);
        return values;
    }
}
