using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Properties;

/// <summary>One seed, so that a run can be repeated; another with each run of the long mode, or by OG_FUZZ_SEED.</summary>
internal static class Seeded
{
    /// <summary>Runs the property over so many inputs; returns the seed.</summary>
    public static ulong Check(int inputs, Property property)
    {
        var seed = ulong.TryParse(Environment.GetEnvironmentVariable("OG_FUZZ_SEED"), out var named) ? named : Vectors.IsLong ? (ulong)Random.Shared.Next() : 1;
        var replay = new Replay(new Rnd(seed), FSharpOption<int>.None);
        FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(inputs).WithReplay(FSharpOption<Replay>.Some(replay)), property);
        return seed;
    }
}
