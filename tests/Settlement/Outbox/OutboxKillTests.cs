using System.Diagnostics;
using System.Globalization;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Outbox;

public sealed class OutboxKillTests
{
    internal static readonly OutboxOptions Options = new() { SegmentSize = 32 << 10 };

    [Fact]
    public async Task Outbox_ProcessKilledWhileWriting_KeepsEveryAcknowledgedRecord()
    {
        using var folder = new TemporaryFolder();
        var start = new ProcessStartInfo("dotnet", ["exec", typeof(OutboxKillTests).Assembly.Location, "write-outbox", folder.Path]) { RedirectStandardOutput = true };
        using var child = Process.Start(start)!;
        var acknowledged = new List<int>();
        try
        {
            while (acknowledged.Count < 2000 && await child.StandardOutput.ReadLineAsync() is { } line) acknowledged.Add(int.Parse(line, CultureInfo.InvariantCulture));
        }
        finally
        {
            child.Kill();
        }

        while (await child.StandardOutput.ReadLineAsync() is { } line)
            if (int.TryParse(line, CultureInfo.InvariantCulture, out var number)) acknowledged.Add(number);
        await child.WaitForExitAsync();
        Assert.True(acknowledged.Count >= 2000, $"the child ended after {acknowledged.Count} records");

        var recovered = new RecordingSink();
        SegmentOutbox.Open(new LinuxDisk(), folder.Path, Options, recovered).Dispose();
        // The last line may have been cut in the middle, so it is held to be a record only if it follows its predecessor.
        var whole = acknowledged.Where((number, i) => number == i).ToArray();
        Assert.True(whole.Length >= 2000);
        Assert.Equal(whole, recovered.Numbers.Take(whole.Length));
    }
}
