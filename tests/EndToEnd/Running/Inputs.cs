using OpenGradient.Engine.Host.Client;

namespace OpenGradient.Engine.EndToEnd.Tests.Running;

/// <summary>The inputs that ship with the models.</summary>
internal static class Inputs
{
    public static IReadOnlyList<InputItem> Digits { get; } = InputFile.Read(Repository.HeldBackDigits);

    public static IReadOnlyList<InputItem> Sentences { get; } = InputFile.Read(Repository.Sentences);

    public static ReadOnlyMemory<byte> Digit(int index) => Digits[index % Digits.Count].Body;

    /// <summary>Some request and the model it is for: mostly digits, now and then a sentence.</summary>
    public static (string Model, ReadOnlyMemory<byte> Body) Mixed(int index) =>
        index % 7 == 3 ? ("encoder", Sentences[index % Sentences.Count].Body) : ("digits", Digit(index));
}
