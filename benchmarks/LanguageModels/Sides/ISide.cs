namespace OpenGradient.Engine.Benchmarks.LanguageModels.Sides;

/// <summary>A model opened by one of the programs that are compared.</summary>
internal interface ISide : IDisposable
{
    string Name { get; }

    /// <summary>Where everything of this side is called.</summary>
    SideThread Thread { get; }

    /// <param name="tokens">Most of one sequence.</param>
    IDecoding NewDecoding(int sequences, int tokens);
}

/// <summary>Some sequences of a model, advanced together. Neither side samples: logits are computed and left where they are.</summary>
internal interface IDecoding : IDisposable
{
    /// <summary>Begins a sequence anew with a prompt; returns when its last token's logits are there.</summary>
    void Prefill(int sequence, int[] tokens);

    /// <summary>Appends one token to every sequence; returns when all logits are there.</summary>
    void Decode(int token);

    /// <summary>Goes back to a length, in all sequences.</summary>
    void Rewind(int length);
}
