using System.Diagnostics;
using System.Runtime.InteropServices;

namespace OpenGradient.Engine.Engine.Tests;

/// <summary>Model files and the files beside them that lie: each is refused with a reason, the engine goes on, and nothing outside the folder is read.</summary>
public sealed partial class HostileModelTests : IAsyncDisposable
{
    private const int DataBytes = 256;

    private readonly InferenceEngine _engine = Engines.Create();
    private readonly TempFolder _folder = new();

    public HostileModelTests() => _folder.Write("w.bin", new byte[DataBytes]);

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(null, null), InlineData("0", "32"), InlineData("224", "32"), InlineData("1", null)]
    public async Task Load_RangeInsideTheFile_Serves(string? offset, string? length)
    {
        var path = _folder.Write("m.onnx", Onnx.AddModel(Onnx.External("w.bin", offset, length)));
        await _engine.LoadModelAsync(new ModelOptions { Name = "m", Path = path });
        using var result = await _engine.InferAsync(new InferenceRequest("m").Add<float>("x", [1, 8], new float[8]));
        Assert.Equal(new float[8], result.Values<float>(0));
    }

    [Theory]
    [InlineData("225", "32", "at 225")]
    [InlineData("256", "32", "at 256")]
    [InlineData("9223372036854775807", "32", "at 9223372036854775807")]
    [InlineData("9223372036854775800", null, "which has 256")]
    [InlineData("-1", "32", "'-1', which is not a number")]
    [InlineData("0", "-32", "'-32', which is not a number")]
    [InlineData("18446744073709551616", "32", "not a number")]
    [InlineData(" 0", "32", "not a number")]
    [InlineData("0x10", "32", "not a number")]
    [InlineData("0", "31", "takes 31 bytes of 'w.bin', but its type and dimensions need 32")]
    [InlineData("0", "9223372036854775807", "need 32")]
    [InlineData("0", "0", "need 32")]
    public Task Load_RangeOutsideTheFile_NamesTensorAndRange(string offset, string? length, string problem) =>
        Refused(Onnx.AddModel(Onnx.External("w.bin", offset, length)), ModelLoadReason.ExternalData, "'w'", problem);

    [Theory]
    [InlineData("../secret", "leads out of the model's own folder")]
    [InlineData("a/../../secret", "leads out of the model's own folder")]
    [InlineData("/etc/passwd", "absolute path")]
    [InlineData("//etc/passwd", "absolute path")]
    [InlineData("missing.bin", "'missing.bin', which cannot be used: No such file")]
    [InlineData("folder", "it is a folder")]
    [InlineData(".", "not a file")]
    [InlineData("", "empty")]
    [InlineData("w.bin\0.txt", "impossible path")]
    [InlineData("w.bin/deeper", "Not a directory")]
    [InlineData("*/_ORT_MEM_ADDR_/*", "cannot be used")]
    public Task Load_LocationThatMayNotBeRead_NamesIt(string location, string problem)
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "folder"));
        return Refused(Onnx.AddModel(Onnx.External(location)), ModelLoadReason.ExternalData, problem);
    }

    [Theory]
    [InlineData("/etc/passwd", "a link out of the model's own folder")]
    [InlineData("/dev/zero", "it is a device")]
    [InlineData("/nowhere", "No such file")]
    [InlineData("w.bin", null)]
    [InlineData("loop", "symbolic links")]
    public async Task Load_LocationIsALink_IsFollowedInsideTheFolderOnly(string target, string? problem)
    {
        File.CreateSymbolicLink(Path.Combine(_folder.Path, target == "loop" ? "loop" : "link.bin"), target);
        var model = Onnx.AddModel(Onnx.External(target == "loop" ? "loop" : "link.bin"));
        if (problem is not null) await Refused(model, ModelLoadReason.ExternalData, problem);
        else await _engine.LoadModelAsync(new ModelOptions { Name = "m", Path = _folder.Write("m.onnx", model) });
    }

    [Fact]
    public async Task Load_FolderInTheLocationIsALinkOutside_IsRefused()
    {
        using var outside = new TempFolder();
        outside.Write("w.bin", new byte[DataBytes]);
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "linked"), outside.Path);
        await Refused(Onnx.AddModel(Onnx.External("linked/w.bin")), ModelLoadReason.ExternalData, "a link out of the model's own folder");
    }

    [Fact]
    public async Task Load_ModelFolderReachedThroughALink_IsItsOwnFolder()
    {
        using var elsewhere = new TempFolder();
        _folder.Write("m.onnx", Onnx.AddModel(Onnx.External("w.bin")));
        var link = Path.Combine(elsewhere.Path, "current");
        Directory.CreateSymbolicLink(link, _folder.Path);
        await _engine.LoadModelAsync(new ModelOptions { Name = "m", Path = Path.Combine(link, "m.onnx") });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Load_Fifo_IsRefusedWithoutWaitingForAWriter(bool external)
    {
        var fifo = Path.Combine(_folder.Path, "fifo");
        Assert.Equal(0, MakeFifo(fifo, 0x180));
        if (external) await Refused(Onnx.AddModel(Onnx.External("fifo")), ModelLoadReason.ExternalData, "it is a FIFO");
        else Assert.Contains("it is a FIFO", (await Failure(fifo, ModelLoadReason.Unreadable)).Message);
    }

    [Fact]
    public async Task Load_ModelIsADevice_IsRefused() =>
        Assert.Contains("it is a device", (await Failure("/dev/zero", ModelLoadReason.Unreadable)).Message);

    [Theory]
    [InlineData(DataBytes, false)]
    [InlineData(DataBytes - 1, true)]
    public async Task Load_MoreBytesThanAllowed_NamesLocationAndLimit(int room, bool refused)
    {
        var path = _folder.Write("m.onnx", Onnx.AddModel(Onnx.External("w.bin")));
        var options = new ModelOptions { Name = "m", Path = path, MaxArtifactBytes = new FileInfo(path).Length + room };
        if (!refused)
        {
            await _engine.LoadModelAsync(options);
            return;
        }

        var error = await Assert.ThrowsAsync<ModelLoadException>(() => _engine.LoadModelAsync(options));
        Assert.Equal(ModelLoadReason.ExternalData, error.Reason);
        Assert.Contains("'w.bin'", error.Message);
        Assert.Contains("MaxArtifactBytes", error.Message);
        var own = await Assert.ThrowsAsync<ModelLoadException>(() => _engine.LoadModelAsync(options with { MaxArtifactBytes = 10 }));
        Assert.Equal(ModelLoadReason.Unsupported, own.Reason);
    }

    /// <summary>A sparse file of a terabyte: refused by its size, long before memory is taken.</summary>
    [Fact]
    public async Task Load_FileOfATerabyte_IsRefusedAtOnce()
    {
        using (var file = File.OpenHandle(Path.Combine(_folder.Path, "huge.bin"), FileMode.Create, FileAccess.Write)) RandomAccess.SetLength(file, 1L << 40);
        var before = Process.GetCurrentProcess().PrivateMemorySize64;
        await Refused(Onnx.AddModel(Onnx.External("huge.bin")), ModelLoadReason.ExternalData, "'huge.bin'", "larger than");
        Assert.InRange(Process.GetCurrentProcess().PrivateMemorySize64 - before, long.MinValue, 1L << 30);
    }

    [Fact]
    public async Task Load_RangesThatOverlap_EachReadsItsOwn()
    {
        _folder.Write("w.bin", MemoryMarshal.AsBytes(Enumerable.Range(0, 16).Select(i => (float)i).ToArray().AsSpan()));
        var model = Onnx.Model([
            Onnx.Node("Add", ["x", "a"], "h"), Onnx.Node("Add", ["h", "b"], "y"),
            Onnx.Bytes(5, Onnx.External("w.bin", "0", "32", "a")), Onnx.Bytes(5, Onnx.External("./w.bin", "16", "32", "b"))]);
        await _engine.LoadModelAsync(new ModelOptions { Name = "m", Path = _folder.Write("m.onnx", model) });
        using var result = await _engine.InferAsync(new InferenceRequest("m").Add<float>("x", [1, 8], new float[8]));
        Assert.Equal([4, 6, 8, 10, 12, 14, 16, 18], result.Values<float>(0).ToArray());
    }

    [Fact]
    public async Task Load_MoreFilesThanAnyExporterWrites_IsRefused()
    {
        var weights = Enumerable.Range(0, 4097).Select(i => Onnx.Bytes(5, Onnx.External($"w{i}", name: $"w{i}")));
        await Refused(Onnx.Model([.. weights]), ModelLoadReason.ExternalData, "4097 other files");
    }

    /// <summary>What a reader of the one sign and a reader of the other would take differently, or what hides a tensor from either.</summary>
    [Fact]
    public async Task Load_ReferencesThatContradictThemselves_AreRefused()
    {
        byte[] named = [.. Onnx.Varint(1, 8), .. Onnx.Varint(2, Onnx.Float), .. Onnx.Words(8, "w")];
        await Refused(Onnx.AddModel([.. named, .. Onnx.Entry("location", "w.bin")]), ModelLoadReason.ExternalData, "says that its data is inside");
        await Refused(Onnx.AddModel([.. named, .. Onnx.Varint(14, 1)]), ModelLoadReason.ExternalData, "names none");
        await Refused(Onnx.AddModel([.. Onnx.External("w.bin"), .. Onnx.Entry("location", "other.bin")]), ModelLoadReason.ExternalData, "'location' of its file twice");
        await Refused(Onnx.AddModel([.. named, .. Onnx.Bytes(13, Onnx.Words(1, "location"), Onnx.Bytes(2, [0xff, 0xfe])), .. Onnx.Varint(14, 1)]), ModelLoadReason.ExternalData, "not UTF-8");
        await Refused(Onnx.AddModel([.. Onnx.Varint(1, 8), .. Onnx.Varint(2, Onnx.Text), .. Onnx.Reference("w.bin")]), ModelLoadReason.ExternalData, "element type 8");
        foreach (var dimension in (ulong[])[1ul << 62, ulong.MaxValue])
            await Refused(Onnx.AddModel([.. Onnx.Varint(1, dimension), .. Onnx.Varint(1, 1ul << 62), .. Onnx.Varint(2, Onnx.Float), .. Onnx.Reference("w.bin")]), ModelLoadReason.ExternalData, "no file holds");
        await Refused(Onnx.AddModel([.. Onnx.Varint(2, Onnx.Float), .. Onnx.Bytes(1, [0xff, 0xff]), .. Onnx.Reference("w.bin")]), ModelLoadReason.Corrupt, "malformed");
    }

    [Fact]
    public async Task Load_ProtobufThatTwoReadersTakeDifferently_IsRefused()
    {
        var model = Onnx.AddModel(Onnx.External("w.bin"));
        // A group, which protobuf skips; a key whose 33rd bit protobuf drops; field 0.
        foreach (var prefix in (byte[][])[[0x0b, 0x0c], [0xba, 0x80, 0x80, 0x80, 0x10, 0], [0x02, 0]])
            await Refused([.. prefix, .. model], ModelLoadReason.Corrupt, "malformed");
        var deep = Onnx.Bytes(5, Onnx.External("w.bin"));
        for (var i = 0; i < 200; i++) deep = Onnx.Bytes(i % 3 == 0 ? 5 : i % 3 == 1 ? 6 : 1, deep);
        await Refused(Onnx.Model([deep]), ModelLoadReason.Corrupt, "");
    }

    [Fact]
    public async Task Load_ModelsThatTheLibraryRefuses_NameTheReason()
    {
        byte[] inside = [.. Onnx.Varint(1, 8), .. Onnx.Varint(2, Onnx.Float), .. Onnx.Words(8, "w"), .. Onnx.Bytes(9, new byte[32])];
        await _engine.LoadModelAsync(new ModelOptions { Name = "sound", Path = _folder.Write("sound.onnx", Onnx.AddModel(inside)) });
        await Refused(Onnx.AddModel(inside, op: "Conjure"), ModelLoadReason.Corrupt, "Conjure");
        await Refused(Onnx.AddModel(inside, opset: 99), ModelLoadReason.Corrupt, "");
        await Refused(Onnx.AddModel(inside, ir: 99), ModelLoadReason.Corrupt, "");
        byte[] wrongSize = [.. Onnx.Varint(1, 8), .. Onnx.Varint(2, Onnx.Float), .. Onnx.Words(8, "w"), .. Onnx.Bytes(9, new byte[31])];
        await Refused(Onnx.AddModel(wrongSize), ModelLoadReason.Corrupt, "");
        byte[] negative = [.. Onnx.Varint(1, ulong.MaxValue), .. Onnx.Varint(2, Onnx.Float), .. Onnx.Words(8, "w"), .. Onnx.Bytes(9, new byte[32])];
        await Refused(Onnx.AddModel(negative), ModelLoadReason.Corrupt, "");
    }

    /// <summary>Every file is the sound one with some bytes changed, cut or repeated. Loading it may succeed; it never ends the process.</summary>
    [Fact]
    public async Task Load_DamagedFiles_AreServedOrRefused()
    {
        var random = new Random(11);
        var sound = File.ReadAllBytes(TestFiles.Model("external"));
        Directory.CreateDirectory(Path.Combine(_folder.Path, "external.parts"));
        foreach (var name in (string[])["external.data", "external.parts/bias.data"])
            File.Copy(Path.Combine(TestFiles.Root, "models", "tests", name), Path.Combine(_folder.Path, name));
        var refused = 0;
        for (var i = 0; i < 300; i++)
        {
            var bytes = (byte[])sound.Clone();
            for (var flips = random.Next(1, 5); flips > 0; flips--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            var kept = i % 3 == 0 ? random.Next(bytes.Length) : bytes.Length;
            try
            {
                await _engine.LoadModelAsync(new ModelOptions { Name = "m", Path = _folder.Write("m.onnx", bytes.AsSpan(0, kept)), Workers = 1, MaxBatch = 2 });
            }
            catch (ModelLoadException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1, 300);
    }

    private async Task Refused(byte[] model, ModelLoadReason reason, params string[] words)
    {
        var error = await Failure(_folder.Write("bad.onnx", model), reason);
        Assert.All(words, word => Assert.Contains(word, error.Message));
    }

    private async Task<ModelLoadException> Failure(string path, ModelLoadReason reason)
    {
        var error = await Assert.ThrowsAsync<ModelLoadException>(() => _engine.LoadModelAsync(new ModelOptions { Name = "bad", Path = path }));
        Assert.Equal(reason, error.Reason);
        Assert.Contains("'bad'", error.Message);
        return error;
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int MakeFifo(string path, uint mode);
}
