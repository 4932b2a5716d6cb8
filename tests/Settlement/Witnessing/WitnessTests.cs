using System.Text;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Tests.Doubles;
using OpenGradient.Engine.Settlement.Tests.Simulation;
using OpenGradient.Engine.Settlement.Witnessing;

namespace OpenGradient.Engine.Settlement.Tests.Witnessing;

/// <summary>C2SP tlog-witness, answer by answer.</summary>
public sealed class WitnessTests
{
    private const string Folder = "/witness";
    private static readonly Hash256[] Leaves = [.. Enumerable.Range(0, 400).Select(n => MerkleTree.LeafHash(BitConverter.GetBytes(n)))];
    private static readonly TestLog Log = new("witnessed");
    private static readonly Ed25519 Key = Ed25519.FromSeed("witness");

    private readonly SimulatedDisk _disk = new(1);

    private Witness Open(IDisk? disk = null, string name = "witness.example/w1") => Witness.Open(new WitnessParts
    {
        Name = name, Key = Key, Signatures = TestSignatures.Instance, Folder = Folder, Disk = disk ?? _disk, Logs = [new WitnessedLog(Log.VerifierKey, null)],
    });

    [Fact]
    public void AddCheckpoint_FirstAndNext_AreCosignedAsC2spHasIt()
    {
        using var witness = Open();
        foreach (var (older, newer) in new[] { (0, 1), (1, 3), (3, 3), (3, 256), (256, 300) })
        {
            var answer = witness.AddCheckpoint(Request(older, newer));
            Assert.Equal(200, answer.Status);
            Assert.StartsWith("\u2014 witness.example/w1 ", Encoding.UTF8.GetString(answer.Body.Span));
            // The client's way: the lines behind the checkpoint, and the note's own check.
            var cosigned = CheckpointNote.Parse([.. Note(newer), .. answer.Body.Span]);
            Assert.Equal(SignatureStanding.Valid, cosigned.Check(witness.Key, TestSignatures.Instance));
            Assert.Equal(SignatureStanding.Valid, cosigned.Check(Log.VerifierKey, TestSignatures.Instance));
        }

        var shown = CheckpointNote.Parse(witness.CheckpointOf(new WitnessedLog(Log.VerifierKey, null).OriginHash));
        Assert.Equal(300UL, shown.Size);
        Assert.Equal(SignatureStanding.Valid, shown.Check(witness.Key, TestSignatures.Instance));
        Assert.Equal(SignatureStanding.Valid, shown.Check(Log.VerifierKey, TestSignatures.Instance));
        Assert.Null(witness.CheckpointOf(new string('0', 64)));
    }

    [Fact]
    public void AddCheckpoint_OtherOldSize_Is409WithTheKnownOne()
    {
        using var witness = Open();
        Refused(witness, Request(5, 9), 409, "0");
        Assert.Equal(200, witness.AddCheckpoint(Request(0, 9)).Status);
        foreach (var old in new[] { 0, 5, 8 })
        {
            var answer = witness.AddCheckpoint(Request(old, 9));
            Assert.Equal((409, "text/x.tlog.size", "9\n"), (answer.Status, answer.ContentType, Encoding.ASCII.GetString(answer.Body.Span)));
        }
    }

    [Fact]
    public void AddCheckpoint_WhatDoesNotExtend_Is422AndIsKeptAsEvidence()
    {
        using var witness = Open();
        Assert.Equal(200, witness.AddCheckpoint(Request(0, 9)).Status);
        Refused(witness, Request(9, 9, fork: true), 422, "prefix"); // the same size, another root
        Refused(witness, Request(9, 20, fork: true), 422, "prefix");
        Refused(witness, new AddCheckpointRequest(9, [], Note(20)).Encode(), 422, "prefix"); // no proof
        Refused(witness, new AddCheckpointRequest(9, [.. Proof(9, 20), Leaves[0]], Note(20)).Encode(), 422, "prefix"); // too much of it
        Assert.Equal(9UL, witness.LastOf(witness.Logs[0])!.Value.Size);
        Assert.Equal(3, _disk.List($"{Folder}/refused").Length); // two forks and the true one of size 20
        Assert.Equal(200, witness.AddCheckpoint(Request(9, 20)).Status);
    }

    [Fact]
    public void AddCheckpoint_SizeZeroOrProofFromNothing_FollowsC2sp()
    {
        using var witness = Open();
        Refused(witness, new AddCheckpointRequest(0, [Leaves[0]], Note(5)).Encode(), 422, "prefix"); // a proof from size 0 is empty
        Refused(witness, new AddCheckpointRequest(0, [], Log.Note(0, Leaves[0])).Encode(), 422, "size 0");
        Assert.Equal(200, witness.AddCheckpoint(new AddCheckpointRequest(0, [], Log.Note(0, MerkleTree.EmptyRoot)).Encode()).Status);
        Assert.Equal(200, witness.AddCheckpoint(Request(0, 5)).Status);
    }

    [Fact]
    public void AddCheckpoint_UnknownLogOrSigner_Is404Or403()
    {
        using var witness = Open();
        var other = new TestLog("another");
        Refused(witness, new AddCheckpointRequest(0, [], other.Note(5, Root(5))).Encode(), 404, "origin");
        var text = SignedNote.Text(Log.LogId, 5, Root(5));
        byte[] unsigned = [.. text, .. "\n\u2014 somebody AAAAAAAA\n"u8];
        Refused(witness, new AddCheckpointRequest(0, [], unsigned).Encode(), 403, "no signature");
        Refused(witness, new AddCheckpointRequest(0, [], SignedNote.Encode(Log.PublicKey, 5, Root(5), new byte[64])).Encode(), 403, "does not verify");
        Refused(witness, Request(9, 5, proof: []), 400, "above");
        foreach (var body in new[] { "", "old 1", "old 01\n\nx", "old -1\n\nx", "new 1\n\nx", "old 0\nnot base64\n\nx", "old 0\n\nno note\n", "old 0\n" + string.Concat(Enumerable.Repeat(Convert.ToBase64String(new byte[32]) + "\n", 64)) + "\nx\n" })
            Assert.Equal(400, witness.AddCheckpoint(Encoding.UTF8.GetBytes(body)).Status);
        Assert.Null(witness.LastOf(witness.Logs[0]));
    }

    [Fact]
    public void Open_AfterARestart_GoesOnWhereItWas()
    {
        using (var witness = Open()) Assert.Equal(200, witness.AddCheckpoint(Request(0, 9)).Status);
        using var again = Open();
        Assert.Equal((9UL, Root(9)), again.LastOf(again.Logs[0]));
        Refused(again, Request(0, 5), 409, "9");
        Assert.Equal(200, again.AddCheckpoint(Request(9, 10)).Status);
        Assert.Contains("holds", Assert.Throws<OutboxLockedException>(() => Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_StateThatIsNotItsOwn_IsRefusedByName()
    {
        string path;
        using (var witness = Open())
        {
            Assert.Equal(200, witness.AddCheckpoint(Request(0, 9)).Status);
            path = $"{Folder}/logs/{witness.Logs[0].OriginHash}";
        }

        Assert.Contains("cosigned", Assert.Throws<FormatException>(() => Open(name: "witness.example/other")).Message, StringComparison.Ordinal);
        _disk.Reboot();
        var good = _disk.Snapshot(path);
        for (var at = 0; at < good.Length; at += 3)
        {
            byte[] changed = [.. good];
            changed[at] ^= 1;
            _disk.Overwrite(path, changed);
            Assert.Contains(path, Assert.Throws<FormatException>(() => Open()).Message, StringComparison.Ordinal);
        }

        Assert.Contains("own key", Assert.Throws<FormatException>(() => Witness.Open(new WitnessParts
        {
            Name = "w", Key = Log, Signatures = TestSignatures.Instance, Folder = "/w", Disk = _disk, Logs = [new WitnessedLog(Log.VerifierKey, null)],
        })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddCheckpoint_PowerLostAtEveryOperation_NeverGoesBackBehindAnAnswer()
    {
        var bits = 0;
        for (var seed = 0; seed < 40; seed++)
        {
            for (var crash = 1; crash <= 40; crash++)
            {
                var disk = new SimulatedDisk(seed) { CrashAt = crash };
                ulong promised = 0;
                try
                {
                    using var witness = Open(disk);
                    foreach (var (older, newer) in new[] { (0, 4), (4, 9), (9, 20) })
                        if (witness.AddCheckpoint(Request(older, newer)).Status == 200) promised = (ulong)newer;
                }
                catch (DiskException)
                {
                    // The machine died while it opened.
                }

                if (!disk.FaultBit) break;
                bits++;
                disk.Reboot();
                using var again = Open(disk);
                Assert.InRange(again.LastOf(again.Logs[0])?.Size ?? 0, promised, 20UL);
            }
        }

        Assert.InRange(bits, 200, int.MaxValue);
    }

    [Fact]
    public void AddCheckpoint_ManyAtOnce_CosignOneHistory()
    {
        using var witness = Open();
        var requests = Enumerable.Range(1, 60).SelectMany(size => new[] { Request(0, size), Request(0, size, fork: true) }).ToArray();
        var answers = new WitnessAnswer[requests.Length];
        Parallel.For(0, requests.Length, i => answers[i] = witness.AddCheckpoint(requests[i]));
        Assert.Equal(1, answers.Count(answer => answer.Status == 200)); // each of the others is from size 0, where it no longer is
        Assert.All(answers.Where(answer => answer.Status != 200), answer => Assert.Equal(409, answer.Status));
    }

    [Fact]
    public async Task Follower_PublishedLog_IsCosignedStepByStepAndForksAreNot()
    {
        using var folder = new TemporaryFolder();
        using var witness = Open();
        var follower = new LogFollower(witness, witness.Logs[0], new FolderLogFiles(folder.Path));
        Assert.Equal(FollowStatus.Unreachable, (await follower.LookAsync(CancellationToken.None)).Status);
        foreach (var size in new[] { 3, 200, 256, 399 })
        {
            Publish(folder.Path, size);
            Assert.Equal((FollowStatus.Cosigned, (ulong)size), await Look(follower));
            Assert.Equal(FollowStatus.Unchanged, (await Look(follower)).Status);
        }

        Publish(folder.Path, 300); // an old copy
        Assert.Equal(FollowStatus.Inconsistent, (await Look(follower)).Status);
        Publish(folder.Path, 400, fork: true);
        Assert.Equal(FollowStatus.Inconsistent, (await Look(follower)).Status);
        Assert.Equal(399UL, witness.LastOf(witness.Logs[0])!.Value.Size);
        File.WriteAllText(Path.Combine(folder.Path, "checkpoint"), "rubbish\n");
        Assert.Equal(FollowStatus.Refused, (await Look(follower)).Status);
    }

    [Theory]
    [InlineData("# comment\n\nlog V https://log.example/x\n", 1, null)]
    [InlineData("log V\nlog V\n", 0, "line 2: this log")]
    [InlineData("log\n", 0, "line 1: 'log VKEY")]
    [InlineData("witness w V\n", 0, "line 1: 'log VKEY")]
    [InlineData("log V ftp://x\n", 0, "line 1: 'ftp://x'")]
    [InlineData("log nonsense\n", 0, "line 1: verifier key")]
    public void LogList_Lines_AreReadOrNamed(string text, int count, string? wrong)
    {
        text = text.Replace("V\n", Log.VerifierKey + "\n", StringComparison.Ordinal).Replace("V ", Log.VerifierKey + " ", StringComparison.Ordinal);
        
        if (wrong is null) Assert.Equal(count, WitnessedLogs.Parse(text).Count);
        else Assert.Contains(wrong, Assert.Throws<FormatException>(() => WitnessedLogs.Parse(text)).Message, StringComparison.Ordinal);
    }

    private static async Task<(FollowStatus Status, ulong Size)> Look(LogFollower follower)
    {
        var outcome = await follower.LookAsync(CancellationToken.None);
        return (outcome.Status, outcome.Size);
    }

    private static void Refused(Witness witness, byte[] request, int status, string why)
    {
        var answer = witness.AddCheckpoint(request);
        Assert.Equal(status, answer.Status);
        Assert.Contains(why, Encoding.UTF8.GetString(answer.Body.Span), StringComparison.Ordinal);
    }

    private static byte[] Request(int older, int newer, bool fork = false, Hash256[]? proof = null) => new AddCheckpointRequest((ulong)older, proof ?? Proof(older, newer, fork), Note(newer, fork)).Encode();

    private static byte[] Note(int size, bool fork = false) => Log.Note((ulong)size, Tree(size, fork).Root);

    private static Hash256 Root(int size) => MerkleTree.Root(Leaves.AsSpan(0, size));

    private static Hash256[] Proof(int older, int newer, bool fork = false) => Tree(newer, fork).ConsistencyProof((ulong)older, (ulong)newer);

    // A fork differs from its first leaf on.
    private static TileTree Tree(int size, bool fork = false)
    {
        var tree = new TileTree(new InMemory());
        if (fork) tree.Append(Leaves[399]);
        foreach (var leaf in Leaves.AsSpan(fork ? 1 : 0, fork ? size - 1 : size)) tree.Append(leaf);
        return tree;
    }

    private static void Publish(string folder, int size, bool fork = false)
    {
        var tree = Tree(size, fork);
        var store = new TileStore(new QuickDisk(), folder);
        var publisher = new LogPublisher(store);
        foreach (var path in Directory.Exists(Path.Combine(folder, "tile")) ? [Path.Combine(folder, "tile")] : Array.Empty<string>()) Directory.Delete(path, recursive: true);
        publisher.StoreFullTiles(tree.Unstored);
        publisher.StoreEdge(tree.Size, tree.Size, tree.EdgeAt(tree.Size), index => BitConverter.GetBytes((int)index));
        publisher.StoreCheckpoint(Note(size, fork));
    }

    private sealed class InMemory : IFullTileReader
    {
        public Hash256[] ReadFullTile(int level, ulong index) => throw new InvalidOperationException("every tile is in memory");
    }
}
