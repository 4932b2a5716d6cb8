using OpenGradient.Engine.Benchmarks.Report;

namespace OpenGradient.Engine.Benchmarks;

internal static class PointRun
{
    /// <summary>Runs what is asked for, in order, and says after each what others took of the machine.</summary>
    public static async Task RunAsync<TContext>(this IEnumerable<IPoint<TContext>> points, PointOptions options, TContext context, RunFigures figures)
    {
        foreach (var point in points.Where(point => options.Runs(point.Name)))
        {
            var load = new MachineShare();
            await point.RunAsync(context);
            var line = load.Describe(point.Name);
            figures.Text("machine", line);
            Console.Error.WriteLine(line);
        }
    }
}
