namespace OpenGradient.Engine.Benchmarks;

/// <summary>The frame of a benchmark's program: its help, its refusals and its exit codes.</summary>
internal static class BenchmarkRun
{
    public const int Ok = 0, CheckFailed = 1, NotRun = 2;

    /// <param name="name">Stands before a refusal.</param>
    /// <param name="run">Reads the arguments and runs.</param>
    /// <param name="isRefusal">Whether an exception of the benchmark's own means that the run could not be made.</param>
    public static async Task<int> MainAsync(string name, string help, string[] arguments, Func<Task<int>> run, Func<Exception, bool> isRefusal)
    {
        if (arguments.Contains("--help"))
        {
            Console.WriteLine(help);
            return Ok;
        }

        try
        {
            return await run();
        }
        catch (Exception error) when (error is FormatException or InvalidOperationException or IOException || isRefusal(error))
        {
            Console.Error.WriteLine($"{name}: {error.Message}");
            return NotRun;
        }
    }
}
