using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Endpoints;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Hosting.Tests;

/// <summary>Answers whose wait ran out: kept whole until they are fetched or an hour old, over restarts too.</summary>
public sealed class KeptAnswersTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("og-answers-").FullName;
    private readonly SettableClock _clock = new();

    private string Folder => Path.Combine(_root, "answers");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Keep_ThenFind_GivesTheAnswerUntilItIsForgotten(bool onDisk)
    {
        var kept = Open(onDisk);
        var (id, answer) = Answer(1, 3000, json: 100);
        await kept.KeepAsync(id, answer);
        await kept.KeepAsync(id, answer);
        foreach (var _ in new[] { 1, 2 })
        {
            var found = kept.Find(id)!;
            Assert.Equal(answer.Body.ToArray(), found.Body.ToArray());
            Assert.Equal((100, true, id), (found.JsonLength, found.HasBinary, found.ReceiptId!.Value));
        }

        kept.Forget(id);
        Assert.Null(kept.Find(id));
        Assert.Empty(Files());
    }

    [Fact]
    public async Task Restart_WithKeptAnswers_FindsThemAndLetsThemGoAfterTheirHour()
    {
        var (old, oldAnswer) = Answer(1, 10);
        var (young, youngAnswer) = Answer(2, 20);
        var before = Open(onDisk: true);
        await before.KeepAsync(old, oldAnswer);
        _clock.Now += TimeSpan.FromMinutes(40);
        await before.KeepAsync(young, youngAnswer);
        File.WriteAllText(Path.Combine(Folder, young + ".new"), "cut by a crash");
        File.WriteAllText(Path.Combine(Folder, "note.txt"), "somebody else's");

        var after = Open(onDisk: true);
        Assert.Equal(oldAnswer.Body.ToArray(), after.Find(old)!.Body.ToArray());
        Assert.Equal(["note.txt", old.ToString(), young.ToString()], Files().Order(StringComparer.Ordinal).OrderBy(name => name.Length));
        _clock.Now += TimeSpan.FromMinutes(21);
        Assert.Null(after.Find(old));
        Assert.Equal(youngAnswer.Body.ToArray(), after.Find(young)!.Body.ToArray());
        _clock.Now += TimeSpan.FromMinutes(60);
        var third = Open(onDisk: true);
        Assert.Null(third.Find(young));
        Assert.Equal(["note.txt"], Files());
    }

    [Fact]
    public async Task Files_OfKeptAnswers_AreClosedToOthers()
    {
        var kept = Open(onDisk: true);
        var (id, answer) = Answer(1, 10);
        await kept.KeepAsync(id, answer);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Folder, id.ToString())));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Folder));
    }

    [Fact]
    public async Task Keep_BeyondTheBound_LosesNoneAndSaysThatThereIsNoRoom()
    {
        var kept = Open(onDisk: false);
        var all = Enumerable.Range(0, 5).Select(seed => Answer(seed, 16 << 20)).ToArray();
        foreach (var (id, answer) in all[..3]) await kept.KeepAsync(id, answer);
        Assert.True(kept.HasRoom);
        foreach (var (id, answer) in all[3..]) await kept.KeepAsync(id, answer);
        Assert.False(kept.HasRoom);
        Assert.All(all, each => Assert.NotNull(kept.Find(each.Id)));
        kept.Forget(all[0].Id);
        kept.Forget(all[4].Id);
        Assert.True(kept.HasRoom);
        Assert.NotNull(kept.Find(all[1].Id));
    }

    [Fact]
    public async Task Keep_DiskThatTakesNothing_HoldsTheAnswerInMemory()
    {
        var kept = Open(onDisk: true);
        Directory.Delete(Folder, recursive: true); // every write fails now
        var (id, answer) = Answer(1, 10);
        await kept.KeepAsync(id, answer);
        Assert.Equal(answer.Body.ToArray(), kept.Find(id)!.Body.ToArray());
    }

    [Theory]
    [InlineData(0)] // the tag
    [InlineData(16)] // the time
    [InlineData(24)] // the length of the JSON
    public async Task Restart_WithADamagedHeader_LeavesTheFileAndServesTheOthers(int at)
    {
        var before = Open(onDisk: true);
        var (damaged, answer) = Answer(1, 10);
        var (good, _) = Answer(2, 10);
        await before.KeepAsync(damaged, answer);
        await before.KeepAsync(good, answer);
        var file = Path.Combine(Folder, damaged.ToString());
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[at] = 0xff;
        await File.WriteAllBytesAsync(file, bytes);

        var after = Open(onDisk: true);
        Assert.Null(after.Find(damaged));
        Assert.NotNull(after.Find(good));
        Assert.True(File.Exists(file));
    }

    private static (ReceiptId Id, InferAnswer Answer) Answer(int seed, int size, int? json = null)
    {
        var body = new byte[size];
        new Random(seed).NextBytes(body);
        var id = new ReceiptId(Hash256.Sha256([(byte)seed]).Bytes[..ReceiptId.Size]);
        return (id, new InferAnswer(body, json ?? size, id));
    }

    private KeptAnswers Open(bool onDisk) => new(_clock, onDisk ? new AnswerFolder(new LinuxDisk(), Folder) : null);

    private string[] Files() => Directory.Exists(Folder) ? [.. Directory.GetFiles(Folder).Select(file => Path.GetFileName(file))] : [];

    private sealed class SettableClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch.AddYears(56);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
