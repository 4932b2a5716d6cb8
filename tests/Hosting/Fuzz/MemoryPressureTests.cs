using System.Text;

namespace OpenGradient.Engine.Hosting.Tests.Fuzz;

/// <summary>A host whose heap is too small for what it is sent at once: it refuses what does not fit and goes on.</summary>
public sealed class MemoryPressureTests(MemoryPressureTests.SmallHost host) : IClassFixture<MemoryPressureTests.SmallHost>
{
    private const int Callers = 24, BodyBytes = 4 << 20, Closed = 0;

    /// <summary>128 MiB, of which one body of doubles takes some twenty while it is decoded.</summary>
    public sealed class SmallHost : HostProcess
    {
        protected override IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = "0x8000000" };

        protected override int BodyLimit => 16 << 20;
    }

    [Fact]
    public async Task Infer_MoreAtOnceThanTheHeapHolds_IsRefusedAndTheHostGoesOn()
    {
        var large = Encoding.UTF8.GetBytes($$"""{"inputs":[{"name":"pixels","shape":[{{BodyBytes / 2}}],"datatype":"FP64","data":[0{{string.Concat(Enumerable.Repeat(",0", (BodyBytes / 2) - 1))}}]}]}""");
        var answers = await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Try(large)));
        // 400 where it fitted and was found to be no picture; 503 where it did not; 500 or a closed connection where the memory for saying so was missing too.
        Assert.All(answers, answer => Assert.True(answer.Code is 400 or 503 or 500 or Closed, $"{answer.Code}: {Encoding.UTF8.GetString(answer.Body)}"));
        Assert.All(answers.Where(answer => answer.Code == 503), answer => Assert.Contains("not enough memory", Encoding.UTF8.GetString(answer.Body), StringComparison.Ordinal));
        Assert.Contains(answers, answer => answer.Code != 400);
        Assert.False(host.HasExited, "the host has ended");
        var good = Encoding.UTF8.GetBytes($$"""{"inputs":[{"name":"pixels","shape":[1,64],"datatype":"FP32","data":[0{{string.Concat(Enumerable.Repeat(",0", 63))}}]}]}""");
        Assert.Equal(200, (await host.Infer(good)).Code);
    }

    private async Task<(int Code, byte[] Body)> Try(byte[] body)
    {
        try
        {
            return await host.Infer(body);
        }
        catch (HttpRequestException)
        {
            return (Closed, []);
        }
    }
}
