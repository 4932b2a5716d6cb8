using System.Globalization;
using System.Text.RegularExpressions;

namespace OpenGradient.Engine.EndToEnd.Tests.Running;

/// <summary>What a host's <c>/metrics</c> printed.</summary>
internal sealed partial class MetricsText(string text)
{
    public string Text => text;

    public IReadOnlyDictionary<string, string> Families { get; } = Type().Matches(text).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);

    /// <summary>Every sample, labels as printed.</summary>
    public IReadOnlyList<(string Name, string Labels, double Value)> Samples { get; } =
        [.. Sample().Matches(text).Select(match => (match.Groups[1].Value, match.Groups[2].Value, double.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture)))];

    public static async Task<MetricsText> Of(ServingHost host)
    {
        using var answer = await host.Http.GetAsync(host.OperatorUrl + "metrics");
        Assert.True(answer.IsSuccessStatusCode);
        return new MetricsText(await answer.Content.ReadAsStringAsync());
    }

    /// <summary>The sum of a metric's samples whose labels hold every text given.</summary>
    public double Sum(string name, params string[] labels) =>
        Samples.Where(sample => sample.Name == name && labels.All(sample.Labels.Contains)).Sum(sample => sample.Value);

    [GeneratedRegex(@"^# TYPE (\S+) (\S+)$", RegexOptions.Multiline)]
    private static partial Regex Type();

    [GeneratedRegex(@"^([a-z_]+)(?:\{(.*)\})? (\S+)$", RegexOptions.Multiline)]
    private static partial Regex Sample();
}
