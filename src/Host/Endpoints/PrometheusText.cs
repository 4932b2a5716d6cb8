using System.Globalization;
using System.Text;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary>Writes Prometheus' text format, version 0.0.4.</summary>
internal sealed class PrometheusText
{
    private readonly StringBuilder _text = new();

    /// <param name="kind">counter, gauge, histogram or summary.</param>
    public void Family(string name, string kind, string help) =>
        _text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {kind}\n");

    /// <param name="labels">As <see cref="Label"/> gives them, joined by commas; empty for none.</param>
    public void Sample(string name, string labels, double value) =>
        _text.Append(CultureInfo.InvariantCulture, $"{name}{(labels.Length > 0 ? $"{{{labels}}}" : "")} {value:R}\n");

    /// <summary>One histogram: cumulative buckets at powers of two, which are exact, then sum and count.</summary>
    /// <param name="powers">First and last power of two that has a bucket of its own.</param>
    /// <param name="unit">What one is worth in the family's unit: 1e-9 for nanoseconds shown as seconds.</param>
    public void Histogram(string name, string labels, Distribution values, (int First, int Last) powers, double unit)
    {
        for (var power = powers.First; power <= powers.Last; power++)
        {
            var bound = 1L << power;
            Sample(name + "_bucket", $"{labels},{Bound(bound * unit)}", values.CountAtMost(bound));
        }

        Sample(name + "_bucket", labels + ",le=\"+Inf\"", values.Count);
        Sample(name + "_sum", labels, values.Sum * unit);
        Sample(name + "_count", labels, values.Count);
    }

    /// <summary>The label of a histogram's bucket.</summary>
    public static string Bound(double bound) => $"le=\"{bound.ToString("R", CultureInfo.InvariantCulture)}\"";

    public static string Label(string name, string value) => $"{name}=\"{value.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n")}\"";

    public override string ToString() => _text.ToString();
}
