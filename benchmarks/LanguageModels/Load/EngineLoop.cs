using System.Diagnostics;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Sampling;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Load;

/// <summary>The same arrivals as requests to the engine's scheduler, streamed, without receipts.</summary>
internal static class EngineLoop
{
    /// <exception cref="InvalidOperationException">A request was refused or ended early.</exception>
    public static async Task RunAsync(ITextGenerator generator, IReadOnlyList<ArrivedRequest> requests)
    {
        var start = Stopwatch.GetTimestamp();
        var running = new List<Task>();
        foreach (var request in requests)
        {
            request.IntendedStart = start + (long)(request.Due.TotalSeconds * Stopwatch.Frequency);
            var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), request.IntendedStart);
            if (wait > TimeSpan.Zero) await Task.Delay(wait);
            running.Add(OneAsync(generator, request));
        }

        await Task.WhenAll(running);
    }

    private static async Task OneAsync(ITextGenerator generator, ArrivedRequest request)
    {
        var asked = new GenerationRequest
        {
            Prompt = request.Prompt, MaxTokens = request.Answer, IgnoreEndOfSequence = true, IsStreamed = true, Sampling = new SamplingParameters { Temperature = 0 },
        };
        var generation = generator.Start(asked, out var failure) ?? throw new InvalidOperationException($"the engine refused: {failure!.Message}");
        await foreach (var part in generation.ReadPartsAsync(CancellationToken.None))
            for (var i = 0; i < part.Tokens.Count; i++) request.TokenCame();
        if (request.Count != request.Answer) throw new InvalidOperationException($"an answer has {request.Count} tokens instead of {request.Answer}");
    }
}
