namespace OpenGradient.Engine.LanguageModels.Constraints;

/// <summary>Restricts an answer to a language, token by token. One instance per answer; a pure function of the tokens it was advanced by.</summary>
public interface ITokenConstraint
{
    /// <summary>Whether the answer may end here.</summary>
    bool MayEnd { get; }

    /// <summary>Whether nothing may follow: the answer is complete.</summary>
    bool IsComplete { get; }

    /// <summary>Sets the bit of every token that may come next, and clears all others. End-of-sequence tokens are the scheduler's to allow, by <see cref="MayEnd"/>.</summary>
    /// <param name="allowed">One bit per token id, lowest bit first.</param>
    /// <returns>False when no token may follow and the answer may not end either: the schema cannot be satisfied from here.</returns>
    bool Allow(Span<ulong> allowed);

    /// <summary>Accepts the token that was chosen.</summary>
    void Advance(int token);
}

/// <summary>Makes a fresh constraint per answer, and names itself for the receipt.</summary>
public interface ITokenConstraintSource
{
    /// <summary>Canonical description (for example the JSON schema's bytes); its digest is committed in the receipt's parameters.</summary>
    ReadOnlyMemory<byte> Description { get; }

    ITokenConstraint Start();
}
