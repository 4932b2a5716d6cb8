using System.Text.RegularExpressions;
using OpenGradient.Engine.EndToEnd.Tests.Running;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>The operator's figures: documented, consistent with each other, bounded in number.</summary>
public sealed partial class MetricsTests(Line line) : IClassFixture<Line>
{
    [ChainFact]
    public async Task Metrics_AllOfThem_AreInTheTableOfOperationsAndTheOtherWayRound()
    {
        (await line.Host.Infer("digits", Inputs.Digit(0), "final")).Expect(200);
        var printed = (await MetricsText.Of(line.Host)).Families.Keys.Order().ToArray();
        var documented = Row().Matches(await File.ReadAllTextAsync(Repository.At("docs", "operations.md"))).Select(match => match.Groups[1].Value).Order().ToArray();
        Assert.Equal(documented, printed);
    }

    [ChainFact]
    public async Task Metrics_AfterRequests_AgreeWithEachOther()
    {
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async index =>
        {
            var (model, body) = Inputs.Mixed(index);
            (await line.Host.Infer(model, body)).Expect(200);
        }));

        // The counters may be a batch behind the answers.
        await Eventually.Holds("the figures agree", async () =>
        {
            var metrics = await MetricsText.Of(line.Host);
            return new[] { "digits", "encoder" }.All(model =>
            {
                var label = $"model=\"{model}\"";
                var batches = metrics.Sum("og_batches_total", label);
                return metrics.Sum("og_requests_total", label) >= 5
                    && metrics.Sum("og_request_seconds_count", label) == metrics.Sum("og_requests_total", label)
                    && metrics.Sum("og_stage_seconds_count", label, "stage=\"queue\"") == metrics.Sum("og_requests_total", label)
                    && new[] { "gather", "execute", "commit", "sign", "scatter" }.All(stage => metrics.Sum("og_stage_seconds_count", label, $"stage=\"{stage}\"") == batches)
                    && metrics.Sum("og_batch_rows_count", label) == batches
                    && metrics.Sum("og_batch_rows_sum", label) == metrics.Sum("og_rows_total", label);
            });
        });
    }

    [ChainFact]
    public async Task Histograms_AllOfThem_AreCumulativeAndEndAtTheirCount()
    {
        (await line.Host.Infer("digits", Inputs.Digit(0))).Expect(200);
        // The counters may be a batch behind the answer.
        await Eventually.Holds("a batch is counted", async () => (await MetricsText.Of(line.Host)).Sum("og_stage_seconds_count", "digits", "stage=\"sign\"") > 0);
        var metrics = await MetricsText.Of(line.Host);
        var buckets = metrics.Samples.Where(sample => sample.Name.EndsWith("_bucket", StringComparison.Ordinal)).GroupBy(sample => (sample.Name, Labels: Le().Replace(sample.Labels, ""))).ToArray();
        Assert.Equal(["og_batch_rows", "og_llm_first_token_seconds", "og_llm_inter_token_seconds", "og_llm_queue_seconds", "og_llm_step_seconds", "og_model_gap_seconds", "og_request_seconds", "og_stage_seconds"], metrics.Families.Where(family => family.Value == "histogram").Select(family => family.Key).Order());
        var gaps = buckets.Count(series => series.Key.Name == "og_model_gap_seconds_bucket");
        Assert.True(gaps is 8 or 12, $"{gaps} histograms of gaps"); // four stages of the models that have receipts, and of the others
        Assert.Equal((2 * (6 + 1 + 1)) + 4, buckets.Length - gaps); // two models, and a language model
        foreach (var series in buckets)
        {
            var counts = series.Select(bucket => bucket.Value).ToArray();
            Assert.Equal(counts.Order(), counts);
            var bounds = series.Select(bucket => Le().Match(bucket.Labels).Groups[1].Value).ToArray();
            Assert.Equal("+Inf", bounds[^1]);
            var finite = bounds[..^1].Select(bound => double.Parse(bound, System.Globalization.CultureInfo.InvariantCulture)).ToArray();
            Assert.Equal(finite.Order(), finite);
            Assert.Equal(counts[^1], metrics.Samples.Single(sample => sample.Name == series.Key.Name.Replace("_bucket", "_count", StringComparison.Ordinal) && sample.Labels == series.Key.Labels).Value);
        }

        // Signing takes some 20 µs at least and a request under the tests' own limit: the figures are seconds.
        Assert.InRange(metrics.Sum("og_stage_seconds_sum", "digits", "stage=\"sign\""), 1e-6, Eventually.Limit.TotalSeconds);
    }

    [ChainFact]
    public async Task Metrics_ForRequestsThatNameWhatIsNotThere_GrowNoSeries()
    {
        await Eventually.Holds("nothing is under way", async () => (await MetricsText.Of(line.Host)).Sum("og_open_receipts") == 0);
        var before = (await MetricsText.Of(line.Host)).Samples.Count;
        for (var i = 0; i < 20; i++) (await line.Host.Infer($"absent-{i}", Inputs.Digit(0))).Expect(404);
        var after = await MetricsText.Of(line.Host);
        Assert.DoesNotContain("absent", after.Text);
        Assert.InRange(after.Samples.Count, 1, before + 12); // the first receipts add quantiles of the gap
    }

    [GeneratedRegex(@"^\| `(og_[a-z_]+)", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@",?le=""([^""]*)""")]
    private static partial Regex Le();
}
