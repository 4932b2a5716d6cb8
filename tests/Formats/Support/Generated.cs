using FsCheck;
using FsCheck.Fluent;

namespace OpenGradient.Engine.Formats.Tests.Support;

/// <summary>Runs an assertion over generated values. A failure names the seed that replays it.</summary>
internal static class Generated
{
    public static void ForAll<T>(Gen<T> values, Action<T> assertion, int tests = 150) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(tests).WithEndSize(64), Prop.ForAll(values.ToArbitrary(), assertion));
}
