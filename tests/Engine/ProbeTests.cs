using OpenGradient.Engine.Determinism;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Engine.Tests;

public sealed class ProbeTests
{
    // Far more than the cases take, so that a busy machine does not change what is found.
    private static readonly TimeSpan Budget = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("identity", DeterminismClass.A, 1, 1)]
    [InlineData("add", DeterminismClass.A, 1, 1)]
    [InlineData("noop", DeterminismClass.A, 1, 1)]
    [InlineData("multi", DeterminismClass.A, 1, 1)]
    [InlineData("fixed", DeterminismClass.A, 1, 1)]
    [InlineData("nan", DeterminismClass.A, 1, 1)]
    [InlineData("digits", DeterminismClass.A, 1, 1)]
    [InlineData("encoder", DeterminismClass.A, 1, 1)]
    [InlineData("shape", DeterminismClass.A, 2, 1)]
    [InlineData("slot", DeterminismClass.B, 1, 1)]
    [InlineData("dynq", DeterminismClass.C, 1, 1)]
    public async Task Load_Model_GetsItsClassAndTheCheapestRule_TwiceTheSame(string model, DeterminismClass expected, int minimumRows, int multiple)
    {
        for (var time = 0; time < 2; time++)
        {
            await using var engine = await Engines.CreateWith(Engines.Options(model) with { ProbeBudget = Budget, Workers = 1 });
            var info = engine.Find(model)!;
            var probe = info.Probe!;
            Console.WriteLine($"{model}: {probe}");
            Assert.True(expected == probe.Class, probe.ToString());
            Assert.Equal(new PaddingRule(minimumRows, multiple), probe.Rule);
            Assert.Equal(expected, info.Context.Determinism);
            Assert.Equal(probe.Rule, PaddingRule.Of(info.Context));
            Assert.True(probe.Comparisons > 0);
        }
    }
}
