namespace OpenGradient.Engine.LanguageModels.Constraints;

/// <summary>What a constraint and the rules about end-of-sequence tokens allow together: generation and replay ask the same.</summary>
internal static class ConstraintMask
{
    /// <param name="ignoresEnd">Whether an end-of-sequence token is not to end the answer: then none may come.</param>
    /// <returns>One bit per column.</returns>
    public static ulong[] Of(ITokenConstraint constraint, IReadOnlyList<int> endTokens, bool ignoresEnd, int vocabularySize)
    {
        var mask = new ulong[(vocabularySize + 63) / 64];
        constraint.Allow(mask);
        var mayEnd = constraint.MayEnd && !ignoresEnd;
        foreach (var end in endTokens)
        {
            if (end < 0 || end >= vocabularySize) continue;
            if (mayEnd) mask[end / 64] |= 1ul << (end % 64);
            else mask[end / 64] &= ~(1ul << (end % 64));
        }

        return mask;
    }
}
