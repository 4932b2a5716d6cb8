using System.Globalization;
using Xunit.Abstractions;

namespace OpenGradient.Engine.Hosting.Tests.Fuzz;

/// <summary>How many inputs a fuzzing test tries, and from which seed. OG_LONG=1 tries sixty times as many; OG_FUZZ_SEED chooses another seed.</summary>
internal sealed class FuzzRun(ITestOutputHelper output, int rounds)
{
    private const int LongFactor = 60;

    public static bool IsLong { get; } = Environment.GetEnvironmentVariable("OG_LONG") == "1";

    private readonly int _rounds = IsLong ? rounds * LongFactor : rounds;
    private readonly int _seed = int.TryParse(Environment.GetEnvironmentVariable("OG_FUZZ_SEED"), CultureInfo.InvariantCulture, out var seed) ? seed : 20_261_121;

    /// <summary>Calls the assertion with a generator of its own for each round, so that the round named by a failure replays alone.</summary>
    /// <returns>How many inputs were tried.</returns>
    public int Each(Action<Random> assertion)
    {
        for (var round = 0; round < _rounds; round++)
        {
            try
            {
                assertion(new Random(HashCode(_seed, round)));
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"seed {_seed}, round {round}: {error.Message}", error);
            }
        }

        output.WriteLine($"{_rounds:N0} inputs tried, seed {_seed}");
        return _rounds;
    }

    // The runtime's own combination is salted per process.
    private static int HashCode(int seed, int round) => unchecked((seed * 31) + (round * (int)2654435761));
}
