using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Keeping;

/// <summary>Data folders that earlier releases wrote, as <see cref="FixtureWriter"/> left them.</summary>
public sealed class FormatTests
{
    [Fact]
    public async Task Open_FolderOfTheFirstFormat_KnowsEverythingAndGoesOn()
    {
        using var folder = new TemporaryFolder();
        var fixture = Path.Combine(Repository.Root, "tests", "Settlement", "Fixtures", "format-1");
        Copy(fixture, folder.Path);
        var expected = await File.ReadAllLinesAsync(Path.Combine(fixture, FixtureWriter.Expectations));
        using var engine = new KeptEngine(new LinuxDisk(), folder.Path);
        engine.Options = engine.Options with { Outbox = new OutboxOptions { SegmentSize = 4096 } };
        engine.Start();
        Assert.Equal(expected, expected.Select(line => Line(engine.Service, line)));

        await engine.Service.TickAsync(CancellationToken.None);
        Assert.True(engine.Service.Storage is { ArchivedStatements: > 0, SnapshotsTaken: > 0 }, engine.Service.Storage.ToString());
        var final = expected.Where(line => line.Contains(" Final ", StringComparison.Ordinal)).ToArray();
        Assert.Equal(6, final.Length);
        engine.Stop();
        engine.Start();
        Assert.Equal(final, final.Select(line => Line(engine.Service, line)));
    }

    private static string Line(SettlementService service, string line)
    {
        Assert.True(ReceiptId.TryParse(line.AsSpan(0, 32), out var id));
        return FixtureWriter.Line(service, id);
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
