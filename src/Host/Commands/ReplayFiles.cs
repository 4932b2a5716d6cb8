using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Client;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Hosting.Replay;
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

    /// <summary>A generated answer, where one is named: the file itself, or beside a receipt.</summary>
    /// <param name="path">A saved answer that carries its receipt, or a receipt file.</param>
    /// <param name="saved">The saved answer where <paramref name="path"/> is a receipt file; null where there is none.</param>
    /// <param name="promptFile">A text that takes the place of the saved prompt; null for none.</param>
    /// <returns>Null where the receipt is none of a generated answer.</returns>
    /// <exception cref="FormatException">A file cannot be used; the message names it.</exception>
    public static (HeldGeneration Generation, ReceiptBundle Bundle)? Generation(string path, string? saved, string? promptFile)
    {
        var bytes = Bytes(path, "receipt");
        var carries = BeginsWith(bytes, '{') && SavedGeneration.IsOne(bytes);
        if (!carries && saved is null)
        {
            return promptFile is null ? null : throw new FormatException("--prompt-file is for generated answers: give what og chat --save wrote, too");
        }

        var answer = carries ? SavedGeneration.Read(bytes, path) : SavedGeneration.Read(Bytes(saved!, "answer"), saved!);
        var bundle = carries ? new ReceiptBundle { Receipt = answer.Receipt ?? throw new FormatException($"saved answer '{path}' carries no receipt") } : ReceiptFiles.Read(path);
        var held = new HeldGeneration
        {
            Receipt = bundle.Receipt,
            Prompt = answer.Prompt,
            Answer = answer.Tokens,
            Parameters = answer.Parameters,
            Finish = answer.Finish,
            Previous = answer.Previous,
            // Written out: the conversion from an array would make empty bytes of none.
            Constraint = answer.Constraint is { } schema ? (ReadOnlyMemory<byte>?)schema : null,
            PromptText = promptFile is null ? null : System.Text.Encoding.UTF8.GetString(Bytes(promptFile, "prompt")),
        };
        return (held, bundle);
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
