using System.Threading.Channels;
using OpenGradient.Engine.Host.Protocol.OpenAi;
using OpenGradient.Engine.LanguageModels.Generation;

namespace OpenGradient.Engine.Host.Endpoints.OpenAi;

/// <summary>The choices of one request while they are written. Disposal cancels what is not over: slots and cache are freed within a step.</summary>
internal sealed class RunningAnswers : IDisposable
{
    // A reader that is slow holds up its own answers alone, and this much of them.
    private const int PartsAhead = 64;

    private readonly List<IGeneration> _running = [];
    private readonly CancellationTokenSource _over = new();
    private readonly string _prompt;

    private RunningAnswers(string prompt) => _prompt = prompt;

    public int Count => _running.Count;

    /// <summary>Admits all requests or none.</summary>
    /// <param name="prompt">The field that errors about the prompt name.</param>
    /// <exception cref="OpenAiException">One was refused; those before it are cancelled.</exception>
    public static RunningAnswers Start(ITextGenerator generator, IEnumerable<GenerationRequest> requests, string prompt)
    {
        var answers = new RunningAnswers(prompt);
        foreach (var request in requests)
        {
            if (generator.Start(request, out var failure) is { } generation)
            {
                answers._running.Add(generation);
                continue;
            }

            answers.Dispose();
            throw GenerationFailures.Of(failure!, prompt);
        }

        return answers;
    }

    /// <summary>Waits for all of them.</summary>
    /// <param name="gone">The caller has gone: everything is cancelled, and nobody reads the result.</param>
    /// <param name="stopped">The host stops: answers end where they are, and that is an error.</param>
    /// <exception cref="OpenAiException">One of them failed.</exception>
    public async Task<IReadOnlyList<GenerationResult>> Complete(CancellationToken gone, CancellationToken stopped)
    {
        await using var left = gone.Register(CancelAll);
        await using var ended = stopped.Register(CancelAll);
        var results = await Task.WhenAll(_running.Select(generation => generation.Completion));
        gone.ThrowIfCancellationRequested();
        return results.Select(result => ErrorOf(result, stopped)).OfType<OpenAiException>().FirstOrDefault() is { } error ? throw error : results;
    }

    /// <summary>The result of one choice whose parts have all been read.</summary>
    public Task<GenerationResult> ResultOf(int choice) => _running[choice].Completion;

    /// <summary>Why a result is no answer; null for one that is.</summary>
    public OpenAiException? ErrorOf(GenerationResult result, CancellationToken stopped)
    {
        // Nobody but the host cancels here: a caller that cancels is gone.
        if (result.Finish == FinishReason.Cancelled && stopped.IsCancellationRequested) return GenerationFailures.Stopped();
        if (result.Failure is { } failure) return GenerationFailures.Of(failure, _prompt);
        return result.Finish == FinishReason.Failed ? new OpenAiException(StatusCodes.Status500InternalServerError, "the answer failed", null, "runtime_failed") : null;
    }

    /// <summary>Parts of all choices in the order they come; a choice ends with a part that is null.</summary>
    public ChannelReader<(int Choice, GenerationPart? Part)> Read(CancellationToken gone)
    {
        var channel = Channel.CreateBounded<(int, GenerationPart?)>(PartsAhead);
        _ = Pump(channel.Writer, gone, _over.Token);
        return channel.Reader;
    }

    /// <summary>Ends every choice where it is; what there is of it gets its head.</summary>
    public void CancelAll()
    {
        foreach (var generation in _running) generation.Cancel();
    }

    public void Dispose()
    {
        CancelAll();
        // A pump that waits for room in the channel ends with the reader.
        _over.Cancel();
        _over.Dispose();
    }

    private async Task Pump(ChannelWriter<(int, GenerationPart?)> writer, CancellationToken gone, CancellationToken over)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(gone, over);
        try
        {
            await Task.WhenAll(_running.Select((generation, choice) => PumpOne(writer, generation, choice, either.Token)));
            writer.TryComplete();
        }
#pragma warning disable CA1031 // Whatever ended a pump ends the reader, which throws it.
        catch (Exception error)
#pragma warning restore CA1031
        {
            writer.TryComplete(error);
        }
    }

    private static async Task PumpOne(ChannelWriter<(int, GenerationPart?)> writer, IGeneration generation, int choice, CancellationToken gone)
    {
        await foreach (var part in generation.ReadPartsAsync(gone)) await writer.WriteAsync((choice, part), gone);
        await writer.WriteAsync((choice, null), gone);
    }
}
