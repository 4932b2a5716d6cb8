namespace OpenGradient.Engine.Settlement.Tests.Doubles;

/// <summary>A test that needs the real node; visibly skipped where there is none.</summary>
public sealed class AnvilFactAttribute : FactAttribute
{
    public AnvilFactAttribute() => Skip = Anvil.Missing;
}

/// <inheritdoc cref="AnvilFactAttribute"/>
public sealed class AnvilTheoryAttribute : TheoryAttribute
{
    public AnvilTheoryAttribute() => Skip = Anvil.Missing;
}
