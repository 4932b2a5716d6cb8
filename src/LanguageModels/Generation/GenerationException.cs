namespace OpenGradient.Engine.LanguageModels.Generation;

/// <summary>A call that gives its result directly, such as an embedding, was refused or failed.</summary>
public sealed class GenerationException : Exception
{
    public GenerationException(GenerationFailure failure) : base(failure.Message) => Failure = failure;

    public GenerationException(string message) : this(new GenerationFailure(GenerationError.Runtime, message)) { }

    public GenerationException(string message, Exception innerException) : base(message, innerException) => Failure = new GenerationFailure(GenerationError.Runtime, message);

    public GenerationException() : this("the model failed") { }

    public GenerationFailure Failure { get; }
}
