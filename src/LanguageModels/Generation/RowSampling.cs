using OpenGradient.Engine.LanguageModels.Constraints;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Sampling;

namespace OpenGradient.Engine.LanguageModels.Generation;

/// <summary>
/// Chooses the next token of every sequence that has a row of logits. Rows are independent, so where they are long a second
/// thread of the pool takes some of them; which ones changes nothing.
/// </summary>
internal sealed class RowSampling(TokenModelInfo info, IReadOnlyList<int> endTokens)
{
    // Below so many columns in all, telling another thread takes longer than the rows do.
    private const long WorthSharing = 1 << 16;

    private static readonly ParallelOptions TwoThreads = new() { MaxDegreeOfParallelism = 2 };

    /// <param name="sequences">In the order of their rows.</param>
    /// <param name="logits">Overwritten.</param>
    public void Sample(IReadOnlyList<Sequence> sequences, float[] logits)
    {
        if (sequences.Count > 1 && (long)sequences.Count * info.VocabularySize >= WorthSharing)
        {
            Parallel.For(0, sequences.Count, TwoThreads, row => SampleOne(sequences[row], Row(logits, row)));
            return;
        }

        for (var row = 0; row < sequences.Count; row++) SampleOne(sequences[row], Row(logits, row));
    }

    private Span<float> Row(float[] logits, int row) => logits.AsSpan(row * info.VocabularySize, info.VocabularySize);

    private void SampleOne(Sequence sequence, Span<float> row)
    {
        try
        {
            sequence.SamplingFailure = null;
            sequence.Sampled = sequence.Sampler.Next(row, sequence.Constraint is { } constraint ? Mask(constraint, sequence.Plan.Parameters.IgnoreEndOfSequence) : []);
        }
        catch (Exception)
        {
            // A constraint's own code: what it throws is about its schema and the answer, not fit for everybody's eyes.
            sequence.SamplingFailure = new GenerationFailure(GenerationError.ConstraintUnsatisfiable, "the constraint failed");
        }
    }

    private ReadOnlySpan<ulong> Mask(ITokenConstraint constraint, bool ignoresEnd) => ConstraintMask.Of(constraint, endTokens, ignoresEnd, info.VocabularySize);
}
