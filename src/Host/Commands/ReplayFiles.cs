using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Client;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Tensors;
using OpenGradient.Engine.Verification;
using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Host.Commands;

/// <summary>The files that <c>og replay</c> reads.</summary>
internal static class ReplayFiles
{
    // What a host answers at most, and more than it takes.
    private const long MaxSize = 256 << 20;

    /// <summary>The receipt, and the answer where the file is a whole answer.</summary>
    /// <exception cref="FormatException">The file cannot be used; the message names it.</exception>
    public static (ReceiptBundle? Bundle, VerificationFailure? Failure, KnownAnswer? Answer) Receipt(string path)
    {
        var bytes = Bytes(path, "receipt");
        if (!BeginsWith(bytes, '{'))
        {
            var (bundle, failure) = BundleVerifier.Read(bytes);
            return (bundle, failure, null);
        }

        var answer = SavedAnswer.Read(bytes, path);
        var receipt = answer.Receipt ?? throw new FormatException($"answer '{path}' carries no receipt");
        return (new ReceiptBundle { Receipt = receipt }, null, answer.Outputs);
    }

    /// <summary>The inputs of a request: JSON or JSON with binary tensors behind it, or one entry of a list.</summary>
    /// <exception cref="FormatException">The file cannot be used; the message names it.</exception>
    public static IReadOnlyList<NamedTensor> Inputs(string path, int item)
    {
        var bytes = Bytes(path, "input");
        try
        {
            var request = BeginsWith(bytes, '{') ? InferRequest.Read(bytes, JsonPrefix.LengthOf(bytes)) : Entry(path, item);
            return [.. request.Inputs.Select(input => new NamedTensor(input.Name, (ElementType)input.Code, input.Shape, input.Data))];
        }
        catch (System.Text.Json.JsonException e)
        {
            throw new FormatException($"input file '{path}': malformed JSON at line {e.LineNumber + 1}");
        }
        catch (BadRequestException e)
        {
            throw new FormatException($"input file '{path}': {e.Message}");
        }
    }

    /// <exception cref="FormatException">The file cannot be used; the message names it.</exception>
    public static SavedAnswer Answer(string path) => SavedAnswer.Read(Bytes(path, "answer"), path);

    private static InferRequest Entry(string path, int item)
    {
        var items = InputFile.Read(path);
        if (item < 0 || item >= items.Count) throw new FormatException($"--item {item}: the input file has {items.Count} entries");
        return InferRequest.Read(items[item].Body, items[item].Body.Length);
    }

    private static byte[] Bytes(string path, string what)
    {
        if (!File.Exists(path)) throw new FormatException($"{what} file '{path}' does not exist");
        if (new FileInfo(path).Length > MaxSize) throw new FormatException($"{what} file '{path}' is larger than {MaxSize} bytes");
        return File.ReadAllBytes(path);
    }

    private static bool BeginsWith(ReadOnlySpan<byte> bytes, char letter)
    {
        var start = bytes.IndexOfAnyExcept(" \t\r\n"u8);
        return start >= 0 && bytes[start] == letter;
    }
}
