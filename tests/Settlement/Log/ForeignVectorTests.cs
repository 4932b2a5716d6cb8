using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Log;

/// <summary>Against tests/vectors/tlog.json, which Go's golang.org/x/mod/sumdb made (tests/vectors/tlog/make.go), and a checkpoint of the public witness network.</summary>
public sealed class ForeignVectorTests
{
    private static readonly JsonElement Vectors = JsonDocument.Parse(File.ReadAllBytes(Vector("tlog.json"))).RootElement;

    // 70,000 entries: three levels of tiles.
    private static readonly Lazy<TileTree> Whole = new(() =>
    {
        var tree = new TileTree(new NothingStored());
        for (var i = 0; i < Vectors.GetProperty("tilesOf").GetInt32(); i++) tree.Append(MerkleTree.LeafHash(Encoding.ASCII.GetBytes($"entry {i}")));
        return tree;
    });

    [Fact]
    public void Roots_OfGosTrees_AreOurs() => All("roots", vector =>
        Assert.Equal(Text(vector, "root"), Whole.Value.RootAt(Number(vector, "size")).ToString()));

    [Fact]
    public void InclusionPaths_OfGosTrees_AreOursAndVerify() => All("inclusion", vector =>
    {
        var (index, size, path) = (Number(vector, "index"), Number(vector, "size"), Hashes(vector, "path"));
        Assert.Equal(path, Whole.Value.InclusionPath(index, size));
        Assert.Equal(Whole.Value.RootAt(size), MerkleTree.RootFromPath(MerkleTree.LeafHash(Encoding.ASCII.GetBytes($"entry {index}")), index, size, path));
    });

    [Fact]
    public void ConsistencyProofs_OfGosTrees_AreOursAndVerify() => All("consistency", vector =>
    {
        var (older, newer, proof) = (Number(vector, "old"), Number(vector, "new"), Hashes(vector, "proof"));
        Assert.Equal(proof, Whole.Value.ConsistencyProof(older, newer));
        Assert.True(MerkleTree.VerifyConsistency(older, Whole.Value.RootAt(older), newer, Whole.Value.RootAt(newer), proof));
    });

    [Fact]
    public async Task Tiles_OfGosTree_AreTheFilesThatWePublish()
    {
        using var folder = new TemporaryFolder();
        var files = Publish(folder.Path);
        var count = 0;
        foreach (var vector in Vectors.GetProperty("tiles").EnumerateArray())
        {
            var bytes = await files.ReadAsync(Text(vector, "path"), 8192, CancellationToken.None);
            Assert.True(bytes is not null, $"{Text(vector, "path")} was not published");
            Assert.Equal(Number(vector, "width") * 32, (ulong)bytes.Length);
            Assert.Equal(Text(vector, "sha256"), Hash256.Sha256(bytes).ToString());
            count++;
        }

        // C2SP tlog-tiles' own example: a tree of 70,000 has 273 full and one partial tile of level 0, two of level 1, one of level 2.
        Assert.Equal(274 + 2 + 1, count);
        Assert.Equal(count, Directory.EnumerateFiles(Path.Combine(folder.Path, "tile"), "*", SearchOption.AllDirectories).Count());
    }

    [Fact]
    public async Task PublishedTree_FromTilesAlone_GivesGosProofs()
    {
        using var folder = new TemporaryFolder();
        var files = Publish(folder.Path);
        var size = Whole.Value.Size;
        var tree = new PublishedTree(files, size);
        Assert.Equal(Whole.Value.Root, await tree.RootAsync(CancellationToken.None));
        foreach (var vector in Vectors.GetProperty("consistency").EnumerateArray().Where(vector => Number(vector, "new") == size))
            Assert.Equal(Hashes(vector, "proof"), await tree.ConsistencyProofAsync(Number(vector, "old"), CancellationToken.None));
        foreach (var vector in Vectors.GetProperty("inclusion").EnumerateArray().Where(vector => Number(vector, "size") == size))
            Assert.Equal(Hashes(vector, "path"), await tree.InclusionPathAsync(Number(vector, "index"), CancellationToken.None));
    }

    [Fact]
    public void Notes_SignedByGo_VerifyAndAreSignedAlike() => All("notes", vector =>
    {
        var key = VerifierKey.Parse(Text(vector, "vkey"));
        var note = CheckpointNote.Parse(Encoding.UTF8.GetBytes(Text(vector, "note")));
        Assert.Equal(Text(vector, "text"), Encoding.UTF8.GetString(note.Text.Span));
        Assert.Equal(key.Name, note.Origin);
        Assert.Equal(Whole.Value.RootAt(note.Size), note.Root);
        Assert.Equal(SignatureStanding.Valid, note.Check(key, TestSignatures.Instance));
        var signer = new Ed25519(Convert.FromHexString(Text(vector, "seed")));
        Assert.Equal(key.PublicKey.ToArray(), signer.PublicKey.ToArray());
        Assert.Equal(note.Signatures[0].Signature.ToArray(), signer.SignNote(note.Text.Span)); // RFC 8032: one signature per message
    });

    [Fact]
    public void Checkpoint_OfThePublicWitnessNetwork_VerifiesUnderLogAndWitness()
    {
        var bytes = File.ReadAllBytes(Vector("tlog-public.note"));
        var note = CheckpointNote.Parse(bytes);
        Assert.Equal(6, note.Signatures.Count);
        var log = VerifierKey.Parse("arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f");
        var witness = VerifierKey.Parse("remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2");
        Assert.Equal(SignatureStanding.Valid, note.Check(log, TestSignatures.Instance));
        Assert.Equal(SignatureStanding.Valid, note.Check(witness, TestSignatures.Instance));
        Assert.Equal(SignatureStanding.Absent, note.Check(witness with { Name = "remora.n621.dd" }, TestSignatures.Instance));

        var changed = CheckpointNote.Parse(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes).Replace("1432088532", "1432088533", StringComparison.Ordinal)));
        Assert.Equal(SignatureStanding.Invalid, changed.Check(log, TestSignatures.Instance));
        Assert.Equal(SignatureStanding.Invalid, changed.Check(witness, TestSignatures.Instance));
    }

    private static FolderLogFiles Publish(string folder)
    {
        var publisher = new LogPublisher(new TileStore(new QuickDisk(), folder));
        publisher.StoreFullTiles(Whole.Value.Unstored);
        var store = new TileStore(new QuickDisk(), folder);
        foreach (var (level, index, hashes) in Whole.Value.EdgeAt(Whole.Value.Size)) store.WriteTile(level, index, hashes);
        return new FolderLogFiles(folder);
    }

    private static string Vector(string name) => Path.Combine(Repository.Root, "tests", "vectors", name);

    private static void All(string kind, Action<JsonElement> check)
    {
        var seen = 0;
        foreach (var vector in Vectors.GetProperty(kind).EnumerateArray())
        {
            check(vector);
            seen++;
        }

        Assert.True(seen >= 3, $"only {seen} vectors of {kind}");
    }

    private static string Text(JsonElement vector, string name) => vector.GetProperty(name).GetString()!;

    private static ulong Number(JsonElement vector, string name) => vector.GetProperty(name).GetUInt64();

    private static Hash256[] Hashes(JsonElement vector, string name) => [.. vector.GetProperty(name).EnumerateArray().Select(hash => Hash256.Parse(hash.GetString()))];

    private sealed class NothingStored : IFullTileReader
    {
        public Hash256[] ReadFullTile(int level, ulong index) => throw new InvalidOperationException("every tile is in memory");
    }
}
