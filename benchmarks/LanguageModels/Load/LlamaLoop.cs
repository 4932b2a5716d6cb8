using System.Diagnostics;
using OpenGradient.Engine.Benchmarks.LanguageModels.Llama;
using OpenGradient.Engine.Benchmarks.LanguageModels.Points;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Load;

/// <summary>
/// Continuous batching over llama.cpp as its server does it: each call holds one token of every answer under way, and prompts fill
/// what is left of the batch. Greedy, without a tokenizer, so that it does less than a server.
/// </summary>
internal sealed unsafe class LlamaLoop(LlamaContext context, int slots, int batch, int vocabulary)
{
    private readonly Slot?[] _slots = new Slot?[slots];

    public void Run(IReadOnlyList<ArrivedRequest> requests)
    {
        var start = Stopwatch.GetTimestamp();
        var (next, left) = (0, requests.Count);
        foreach (var request in requests) request.IntendedStart = start + (long)(request.Due.TotalSeconds * Stopwatch.Frequency);
        while (left > 0)
        {
            for (var i = 0; i < slots && next < requests.Count && requests[next].IntendedStart <= Stopwatch.GetTimestamp(); i++)
            {
                if (_slots[i] is not null) continue;
                context.Truncate(i, 0);
                _slots[i] = new Slot(requests[next++]);
            }

            if (Array.TrueForAll(_slots, slot => slot is null)) Thread.Sleep(TimeSpan.FromMilliseconds(0.2));
            else left -= Step();
        }
    }

    /// <summary>How many answers ended.</summary>
    private int Step()
    {
        var rows = new List<(int Slot, int Row)>();
        var used = 0;
        for (var i = 0; i < slots; i++)
        {
            if (_slots[i] is not { IsAnswering: true } slot) continue;
            rows.Add((i, used++));
            context.Add(slot.Token, slot.Length++, i, withLogits: true);
        }

        for (var i = 0; i < slots && used < batch; i++)
        {
            if (_slots[i] is not { IsAnswering: false } slot) continue;
            for (; !slot.IsAnswering && used < batch; used++)
            {
                var isLast = slot.Length + 1 == slot.Request.Prompt.Length;
                context.Add(slot.Request.Prompt[slot.Length], slot.Length, i, isLast);
                slot.Length++;
                if (isLast) rows.Add((i, used));
            }
        }

        context.Run();
        var ended = 0;
        foreach (var (i, row) in rows)
        {
            var slot = _slots[i]!;
            slot.Token = Timing.Largest(new ReadOnlySpan<float>(context.Logits(row), vocabulary));
            slot.Request.TokenCame();
            if (slot.Request.Count < slot.Request.Answer) continue;
            _slots[i] = null;
            ended++;
        }

        return ended;
    }

    private sealed class Slot(ArrivedRequest request)
    {
        public ArrivedRequest Request => request;

        public int Length { get; set; }

        public int Token { get; set; }

        public bool IsAnswering => Length >= request.Prompt.Length;
    }
}
