using System.Diagnostics;
using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Log;

/// <summary>Published logs under npm's @sigstore/verify, which nobody of this project wrote.</summary>
public sealed class SigstoreTests
{
    [SigstoreTheory]
    [InlineData(1), InlineData(2), InlineData(255), InlineData(256), InlineData(257), InlineData(700)]
    public async Task PublishedLog_EveryEntryAndTheCheckpoint_AreAcceptedBySigstore(int size)
    {
        using var folder = new TemporaryFolder();
        var log = new TestLog($"sigstore {size}");
        byte[][] entries = [.. Enumerable.Range(0, size).Select(i => Encoding.UTF8.GetBytes($"statement {i}"))];
        var tree = new TileTree(new NothingStored());
        foreach (var entry in entries) tree.Append(MerkleTree.LeafHash(entry));
        var publisher = new LogPublisher(new TileStore(new QuickDisk(), folder.Path));
        publisher.StoreFullTiles(tree.Unstored);
        publisher.StoreEdge(tree.Size, tree.Size, tree.EdgeAt(tree.Size), index => entries[index]);
        publisher.StoreCheckpoint(log.Note(tree.Size, tree.Root));

        // From here on the published files alone.
        var files = new FolderLogFiles(folder.Path);
        var note = (await files.ReadAsync(TilePath.Checkpoint, CheckpointNote.MaxSize, CancellationToken.None))!;
        var checkpoint = CheckpointNote.Parse(note);
        var published = new PublishedTree(files, checkpoint.Size);
        var proofs = new List<object>();
        for (var index = 0UL; index < checkpoint.Size; index++)
            proofs.Add(new { index, entry = Convert.ToBase64String(await Entry(files, index, checkpoint.Size)), path = (await published.InclusionPathAsync(index, CancellationToken.None)).Select(hash => hash.ToString()) });
        var answer = await Ask(new
        {
            note = Encoding.UTF8.GetString(note), publicKey = Convert.ToHexStringLower(log.PublicKey), keyId = $"{log.VerifierKey.KeyId:x8}", size = checkpoint.Size, root = checkpoint.Root.ToString(), proofs,
        });
        Assert.Equal((size, size), (answer.GetProperty("inclusions").GetInt32(), answer.GetProperty("refusals").GetInt32()));
        Assert.True(answer.GetProperty("checkpoint").GetBoolean());
        Assert.True(answer.GetProperty("refused").GetBoolean());
    }

    private static async Task<byte[]> Entry(FolderLogFiles files, ulong index, ulong size)
    {
        var bundle = index / TilePath.Width;
        var width = (int)Math.Min(TilePath.Width, size - (bundle * TilePath.Width));
        var bytes = (await files.ReadAsync(TilePath.Entries(bundle, width), 1 << 20, CancellationToken.None))!;
        var at = 0;
        for (var skip = index % TilePath.Width; skip > 0; skip--) at += 2 + ((bytes[at] << 8) | bytes[at + 1]);
        return bytes[(at + 2)..(at + 2 + ((bytes[at] << 8) | bytes[at + 1]))];
    }

    private static async Task<JsonElement> Ask(object question)
    {
        var start = new ProcessStartInfo("node", [Path.Combine(Repository.Root, "tests", "Settlement", "Log", "sigstore.mjs"), SigstoreTheoryAttribute.Package!]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var node = Process.Start(start)!;
        var (output, error) = (node.StandardOutput.ReadToEndAsync(), node.StandardError.ReadToEndAsync());
        await node.StandardInput.WriteAsync(JsonSerializer.Serialize(question));
        node.StandardInput.Close();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await node.WaitForExitAsync(limit.Token);
        Assert.True(node.ExitCode == 0, await error);
        return JsonDocument.Parse(await output).RootElement;
    }

    private sealed class NothingStored : IFullTileReader
    {
        public Hash256[] ReadFullTile(int level, ulong index) => throw new InvalidOperationException("every tile is in memory");
    }
}

/// <summary>A theory that needs the npm package @sigstore/verify; visibly skipped where it is not installed.</summary>
public sealed class SigstoreTheoryAttribute : TheoryAttribute
{
    public SigstoreTheoryAttribute()
    {
        if (Package is null) Skip = "no @sigstore/verify: set OG_SIGSTORE to its folder, or run npm ci --ignore-scripts in the repository's root";
    }

    internal static string? Package { get; } = new[] { Environment.GetEnvironmentVariable("OG_SIGSTORE"), Path.Combine(Repository.Root, "node_modules", "@sigstore", "verify") }
        .FirstOrDefault(folder => folder is { Length: > 0 } && File.Exists(Path.Combine(folder, "package.json")));
}
