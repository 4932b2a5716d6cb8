namespace OpenGradient.Engine.Settlement.Tests.Doubles;

/// <summary>A theory that needs the real node.</summary>
public sealed class AnvilTheoryAttribute : TheoryAttribute
{
    public AnvilTheoryAttribute()
    {
        if (Anvil.Binary is null) Skip = "no anvil: set OG_ANVIL, or run npm ci --ignore-scripts in the repository's root";
    }
}
