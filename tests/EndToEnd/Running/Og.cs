namespace OpenGradient.Engine.EndToEnd.Tests.Running;

/// <summary>What one run of <c>og</c> left behind.</summary>
internal sealed record OgResult(int ExitCode, string Output, string Error)
{
    public OgResult Expect(int exitCode)
    {
        Assert.True(ExitCode == exitCode, $"og ended with {ExitCode}, not {exitCode}\n{Output}\n{Error}");
        // Whatever goes wrong ends in a sentence, never in a stack trace.
        Assert.DoesNotContain("Unhandled exception", Error);
        Assert.DoesNotContain("   at ", Error);
        return this;
    }
}

internal static class Og
{
    public const int Ok = 0, Failed = 1, Usage = 2, NotYet = 3, Unavailable = 4;

    /// <summary>Seconds for <c>--timeout</c>, where a command waits for a stage.</summary>
    public static string Patience { get; } = $"{Eventually.Limit.TotalSeconds}";

    public static Task<OgResult> Run(params string[] arguments) => RunIn(null, arguments);

    public static async Task<OgResult> RunIn(IReadOnlyDictionary<string, string?>? environment, params string[] arguments)
    {
        await using var child = await Child.Start(Repository.Og, arguments, environment);
        return new OgResult(await child.Exit(), child.Output, child.Error);
    }
}
