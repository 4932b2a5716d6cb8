using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;

namespace OpenGradient.Engine.Formats.Tests.Support;

/// <summary>Runs an assertion over generated values. A failure names the seed that replays it.</summary>
internal static class Generated
{
    // One seed, so that a run can be repeated; another with each run of the long mode, or by OG_FUZZ_SEED.
    private static readonly ulong Seed = ulong.TryParse(Environment.GetEnvironmentVariable("OG_FUZZ_SEED"), out var named) ? named
        : Environment.GetEnvironmentVariable("OG_LONG") == "1" ? (ulong)Random.Shared.Next() : 1;

    public static void ForAll<T>(Gen<T> values, Action<T> assertion, int tests = 150)
    {
        var replay = new Replay(new Rnd(Seed), FSharpOption<int>.None);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(tests).WithEndSize(64).WithReplay(FSharpOption<Replay>.Some(replay)), Prop.ForAll(values.ToArbitrary(), assertion));
    }
}
