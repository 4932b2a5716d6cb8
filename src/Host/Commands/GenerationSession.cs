using System.CommandLine;
using OpenGradient.Engine.Host.Client;

namespace OpenGradient.Engine.Host.Commands;

/// <summary>One streamed answer on the terminal, and the files asked for.</summary>
internal static class GenerationSession
{
    public static async Task<int> Run(string path, ReadOnlyMemory<byte> body, GenerationOptions options, ParseResult parsed, CancellationToken cancellation)
    {
        using var client = HostClient.Connect(parsed.GetValue(options.Url)!, parsed.GetValue(options.ApiKeyFile));
        var (wait, timeout) = (parsed.GetValue(options.Wait)!, TimeSpan.FromSeconds(parsed.GetValue(options.Timeout)));
        var (answer, cut) = await Read(client, path, body, wait == "fast" ? null : wait, timeout, cancellation);
        Console.WriteLine();
        if (cut is not null) Console.Error.WriteLine($"error: {cut}");
        if (answer.Usage is { } usage) Console.WriteLine($"{usage.Prompt} prompt tokens, {usage.Completion} answered, ended by {answer.Finish}");
        if (answer.Receipt is { } receipt)
        {
            Console.WriteLine(cut is null ? $"receipt {answer.ReceiptId}  {answer.Stage}" : $"receipt {answer.ReceiptId} proves the first {answer.CommittedTokens} tokens of it");
            if (parsed.GetValue(options.Receipt) is { } file) await ReceiptFiles.Write(file, await client.Bundle(receipt, cancellation), cancellation);
        }

        if (cut is not null) return ExitCodes.Unavailable;
        if (parsed.GetValue(options.Save) is { } save) await SavedGeneration.Of(answer).Write(save, cancellation);
        // The answer is there in any case; a wait that ran out is said by the code.
        return wait == "fast" || HasReached(answer.Stage, wait) ? ExitCodes.Ok : ExitCodes.NotYet;
    }

    /// <summary>Prints the answer as it comes.</summary>
    /// <returns>What there is of it, and why there is no more.</returns>
    internal static async Task<(GenerationReader Answer, string? Cut)> Read(HostClient client, string path, ReadOnlyMemory<byte> body, string? release, TimeSpan wait, CancellationToken cancellation)
    {
        var answer = new GenerationReader();
        var begun = false;
        try
        {
            await foreach (var chunk in client.Chunks(path, body, release, wait, cancellation))
            {
                begun = true;
                Console.Write(answer.Add(chunk));
                Console.Out.Flush();
            }
        }
        catch (Exception error) when (begun && error is HostRefusedException or IOException or HttpRequestException)
        {
            return (answer, error.Message);
        }

        return (answer, null);
    }

    private static bool HasReached(string stage, string asked) =>
        Array.IndexOf(InferCommand.Policies, stage == "executed" ? "fast" : stage) >= Array.IndexOf(InferCommand.Policies, asked);
}
