using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;

namespace OpenGradient.Engine.Hosting.Tests;

/// <summary>What only a process of its own shows: how <c>og</c> ends.</summary>
public sealed partial class ProcessTests : IDisposable
{
    private const int Terminate = 15;

    // The public page's stream; the cap is far below it.
    private const int MoreStreamsThanAllowed = 300;

    private readonly string _folder = Directory.CreateTempSubdirectory("og-process-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("""models=[{"path":"damaged.onnx"}]""", "damaged")]
    [InlineData("attestation.library=absent.so", "absent.so")]
    [InlineData("onnxRuntime.library=absent.so", "absent.so")]
    public async Task Serve_SomethingThatCannotBeUsed_EndsWithOneMessage(string setting, string expected)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "damaged.onnx"), "this is no model");
        using var og = Start("serve", "--set", setting, "--set", $"http.listen=http://127.0.0.1:{Ports.Free()}", "--set", "operatorListen=");

        var error = await og.StandardError.ReadToEndAsync();
        await og.WaitForExitAsync();

        Assert.Equal(2, og.ExitCode);
        Assert.StartsWith("error: ", error, StringComparison.Ordinal);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_TerminatedWhileAPageIsOpen_EndsTheStreamAndExitsInOrder()
    {
        var (og, http) = await Serve();
        using (og)
        using (http)
        {
            using var stream = await Stream(http);
            using var reader = new StreamReader(await stream.Content.ReadAsStreamAsync());
            Assert.Equal("event: overview", await reader.ReadLineAsync());

            Assert.Equal(0, Kill(og.Id, Terminate));
            await reader.ReadToEndAsync();
            await og.WaitForExitAsync();

            Assert.Equal(0, og.ExitCode);
        }
    }

    [Fact]
    public async Task Events_ManyReaders_AreRefusedBeyondTheCap()
    {
        var (og, http) = await Serve();
        using (og)
        using (http)
        {
            var open = new List<HttpResponseMessage>();
            try
            {
                while (open.Count < MoreStreamsThanAllowed && (open.Count == 0 || open[^1].StatusCode == HttpStatusCode.OK)) open.Add(await Stream(http));

                Assert.Equal(HttpStatusCode.ServiceUnavailable, open[^1].StatusCode);
                using var overview = await http.GetAsync("v1/overview");
                Assert.Equal(HttpStatusCode.OK, overview.StatusCode);
            }
            finally
            {
                open.ForEach(response => response.Dispose());
                _ = Kill(og.Id, Terminate);
                await og.WaitForExitAsync();
            }
        }
    }

    private static Task<HttpResponseMessage> Stream(HttpClient http) => http.GetAsync("v1/events", HttpCompletionOption.ResponseHeadersRead);

    private async Task<(Process Og, HttpClient Http)> Serve()
    {
        var address = $"http://127.0.0.1:{Ports.Free()}";
        var og = Start("serve", "--set", $"http.listen={address}", "--set", "operatorListen=");
        var first = await og.StandardOutput.ReadLineAsync();
        Assert.True(first?.StartsWith("og ", StringComparison.Ordinal), first ?? await og.StandardError.ReadToEndAsync());
        return (og, new HttpClient { BaseAddress = new Uri(address) });
    }

    private Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "og"), arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _folder,
        };
        return Process.Start(start)!;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
