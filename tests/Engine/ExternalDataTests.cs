using System.Runtime.InteropServices;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Models;
using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.Engine.Tests;

public sealed class ExternalDataTests : IDisposable
{
    private static readonly string[] Names = ["external.onnx", "external.data", "external.parts/bias.data"];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Load_WeightsOfEveryKindInOtherFiles_AnswersWithThem()
    {
        await using var engine = await Engines.CreateWith(Engines.Options("external"));
        var expected = Expected();
        Assert.Equal(expected.Length, await Compare(engine, expected));
    }

    [Fact]
    public async Task Load_SeveralFiles_IdentityCoversEachOfThem()
    {
        await using var engine = await Engines.CreateWith(Engines.Options("external"));
        var before = engine.Find("external")!;
        Assert.Equal(
            ModelIdentity.OfFiles([("", RootOf(Names[0])), (Names[1], RootOf(Names[1])), (Names[2], RootOf(Names[2]))]), before.Identity);
        Assert.Equal(Names.Sum(name => new FileInfo(Source(name)).Length), before.LoadedBytes);

        var seen = new HashSet<Hash256> { before.Identity };
        foreach (var name in Names[1..])
        {
            var path = CopyModel();
            Damage(name);
            Assert.True(seen.Add((await engine.LoadModelAsync(Engines.Options("external") with { Path = path })).Identity));
        }
    }

    [Fact]
    public async Task Load_FileRenamedOrBesideOthers_KeepsItsIdentity()
    {
        await using var engine = await Engines.CreateWith(Engines.Options("external"));
        var path = CopyModel();
        _folder.Write("unrelated.data", [1, 2, 3]);
        var renamed = Path.Combine(_folder.Path, "renamed.onnx");
        File.Move(path, renamed);
        var info = await engine.LoadModelAsync(new ModelOptions { Name = "renamed", Path = renamed });
        Assert.Equal(engine.Find("external")!.Identity, info.Identity);
    }

    /// <summary>Between reading and opening every file is replaced; the answers are those of the bytes that were hashed.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Load_FilesReplacedAfterReading_UsesTheBytesThatWereHashed(bool gone)
    {
        var path = CopyModel();
        var backend = new InterferingBackend(() =>
        {
            if (gone) foreach (var name in Names) File.Delete(Path.Combine(_folder.Path, name));
            else foreach (var name in Names[1..]) Damage(name);
        });
        await using var engine = new InferenceEngine(new InferenceEngineOptions { Backend = backend });
        var info = await engine.LoadModelAsync(Engines.Options("external") with { Path = path });
        await using var original = await Engines.CreateWith(Engines.Options("external"));
        Assert.Equal(original.Find("external")!.Identity, info.Identity);
        await Compare(engine, Expected());
    }

    /// <summary>What <c>OrtExternalFiles.AreCopied</c> says: with 1.27 the session has its own copy. Every other version keeps the memory.</summary>
    [Fact]
    public async Task Open_MemoryOverwrittenAfterwards_ChangesNothingWhereTheLibraryCopies()
    {
        if (!TestFiles.Library.Info.Version.StartsWith("1.27.", StringComparison.Ordinal)) return;
        var backend = new InterferingBackend(null) { OverwriteAfterOpening = true };
        await using var engine = new InferenceEngine(new InferenceEngineOptions { Backend = backend });
        await engine.LoadModelAsync(Engines.Options("external"));
        Assert.True(backend.Overwritten > 0);
        await Compare(engine, Expected());
    }

    [Fact]
    public void Artifact_Held_LivesUntilTheLastHolderLetsGo()
    {
        var memory = new CountingMemory();
        var artifact = new ModelArtifact(default, [], default, memory);
        var holder = artifact.Hold();
        artifact.Dispose();
        artifact.Dispose();
        Assert.Equal(0, memory.Freed);
        holder.Dispose();
        holder.Dispose();
        Assert.Equal(1, memory.Freed);
        Assert.Throws<ObjectDisposedException>(artifact.Hold);
    }

    [Fact]
    public void Read_Cancelled_Stops()
    {
        var reader = new ArtifactReader(new OnnxRuntimeBackend(TestFiles.Library));
        Assert.ThrowsAny<OperationCanceledException>(() => reader.Read(Engines.Options("external"), new CancellationToken(true)));
    }

    private static Hash256 RootOf(string name)
    {
        using var identity = new ModelIdentity();
        identity.Append(File.ReadAllBytes(Source(name)));
        return identity.Finish();
    }

    private static string Source(string name) => Path.Combine(TestFiles.Root, "models", "tests", name);

    private string CopyModel()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "external.parts"));
        foreach (var name in Names) File.Copy(Source(name), Path.Combine(_folder.Path, name), overwrite: true);
        return Path.Combine(_folder.Path, Names[0]);
    }

    private void Damage(string name)
    {
        var path = Path.Combine(_folder.Path, name);
        var bytes = File.ReadAllBytes(path);
        foreach (ref var value in MemoryMarshal.Cast<byte, float>(bytes.AsSpan())) value += 1;
        File.WriteAllBytes(path, bytes);
    }

    private static readonly float[] X = [1, -2, 3, -4, 5, -6, 7, -8];

    /// <summary>((x · weights) ∘ diagonal + shift) + above + step, each 64-byte aligned in the order in which the script moves them.</summary>
    private static float[] Expected()
    {
        var main = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Source(Names[1])));
        var above = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Source(Names[2])));
        var result = new float[8];
        for (var column = 0; column < 8; column++)
        {
            for (var row = 0; row < 8; row++) result[column] += X[row] * main[(row * 8) + column];
            result[column] = (result[column] * main[64 + column]) + main[80 + column] + above[column] + main[96 + column];
        }

        return result;
    }

    private static async Task<int> Compare(InferenceEngine engine, float[] expected)
    {
        using var result = await engine.InferAsync(new InferenceRequest("external").Add<float>("x", [1, 8], X));
        var y = result.Values<float>(0).ToArray();
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], y[i], 1e-4);
        return y.Length;
    }

    private sealed class CountingMemory : IDisposable
    {
        public int Freed { get; private set; }

        public void Dispose() => Freed++;
    }

    /// <summary>ONNX Runtime, with something happening between reading and opening, or right after it.</summary>
    private sealed class InterferingBackend(Action? beforeOpening) : IModelBackend
    {
        private readonly OnnxRuntimeBackend _backend = new(TestFiles.Library);

        public bool OverwriteAfterOpening { get; init; }

        public long Overwritten { get; private set; }

        public IReadOnlyList<string> FilesNamedBy(string modelName, ReadOnlyNativeMemory model) => _backend.FilesNamedBy(modelName, model);

        public unsafe IBackendModel Open(string modelName, ModelArtifact artifact, ExecutionOptions options)
        {
            beforeOpening?.Invoke();
            var model = _backend.Open(modelName, artifact, options);
            if (!OverwriteAfterOpening) return model;
            foreach (var file in artifact.Files.Append(new ArtifactFile("", artifact.Model)))
            {
                new Span<byte>(file.Memory.Pointer, (int)file.Memory.Length).Fill(0x7f);
                Overwritten += file.Memory.Length;
            }

            return model;
        }
    }
}
