using System.Diagnostics;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Load;

/// <summary>One request of the open loop, and when its tokens came. Times are ticks of the stopwatch.</summary>
internal sealed class ArrivedRequest(TimeSpan due, int[] prompt, int answer)
{
    private readonly List<long> _tokens = new(answer);

    /// <summary>From the loop's start.</summary>
    public TimeSpan Due => due;

    public int[] Prompt => prompt;

    /// <summary>Tokens to generate.</summary>
    public int Answer => answer;

    public int Count => _tokens.Count;

    public long IntendedStart { get; set; }

    public void TokenCame() => _tokens.Add(Stopwatch.GetTimestamp());

    /// <summary>From the intended arrival, so that waiting in front of the queue counts.</summary>
    public long? FirstToken => _tokens.Count == 0 ? null : _tokens[0] - IntendedStart;

    public IEnumerable<long> Gaps => _tokens.Zip(_tokens.Skip(1), (left, right) => right - left);
}

/// <summary>Poisson arrivals with random prompts; the same for both sides.</summary>
internal static class Arrivals
{
    public static List<ArrivedRequest> Make(int seed, double perSecond, TimeSpan duration, int vocabulary, int prompt, int answer)
    {
        var random = new Random(seed);
        var requests = new List<ArrivedRequest>();
        for (var at = 0.0; ;)
        {
            at += -Math.Log(1 - random.NextDouble()) / perSecond;
            if (at >= duration.TotalSeconds) return requests;
            requests.Add(new ArrivedRequest(TimeSpan.FromSeconds(at), Points.Timing.Prompt(vocabulary, random.Next(), prompt), answer));
        }
    }
}
