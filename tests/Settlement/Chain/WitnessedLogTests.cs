using System.Text.RegularExpressions;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Tests.Doubles;
using OpenGradient.Engine.Settlement.Witnessing;

namespace OpenGradient.Engine.Settlement.Tests.Chain;

/// <summary>An engine whose checkpoints go to witnesses.</summary>
public sealed class WitnessedLogTests(Anvil anvil) : IClassFixture<Anvil>, IDisposable
{
    private readonly TemporaryFolder _folder = new(), _witnesses = new();
    private readonly WitnessHandler _handler = new();
    private readonly List<Witness> _open = [];

    public void Dispose()
    {
        foreach (var witness in _open) witness.Dispose();
        _folder.Dispose();
        _witnesses.Dispose();
    }

    [AnvilFact]
    public async Task Checkpoint_TwoWitnesses_IsPublishedAndProvenWithBothCosignatures()
    {
        using var engine = Create(nameof(Checkpoint_TwoWitnesses_IsPublishedAndProvenWithBothCosignatures), "w1.example", "w2.example");
        engine.Start();
        var batch = await engine.AcceptUntilFinal();

        var proof = engine.Service.GetProof(batch.StatementId)!;
        var text = SignedNote.Text(engine.Log.LogId, proof.Checkpoint!.Size, proof.Checkpoint.Root);
        var lines = CheckpointNote.ParseSignatures(proof.Cosignatures.Span);
        foreach (var witness in _open) Assert.True(Cosignature.Verify(witness.Key, text, Assert.Single(lines, line => line.IsBy(witness.Key)).Signature.Span, TestSignatures.Instance));
        var published = CheckpointNote.Parse(File.ReadAllBytes(Path.Combine(engine.Service.LogFolder, "checkpoint")));
        foreach (var witness in _open) Assert.Equal(SignatureStanding.Valid, published.Check(witness.Key, TestSignatures.Instance));
        Assert.Equal(SignatureStanding.Valid, published.Check(engine.Log.VerifierKey, TestSignatures.Instance));
        Assert.All(engine.Service.Witnesses, status => Assert.Equal((1UL, null), (status.Cosigned, status.Trouble)));
        Assert.Empty(engine.Service.Conditions);

        // What was cosigned is in the journal: a restart knows it, and asks for it no second time.
        engine.Stop();
        engine.Start(newEpoch: true);
        Assert.Equal(proof.Cosignatures.ToArray(), engine.Service.GetProof(batch.StatementId)!.Cosignatures.ToArray());
        var next = await engine.AcceptUntilFinal();
        Assert.Equal(2, CheckpointNote.ParseSignatures(engine.Service.GetProof(next.StatementId)!.Cosignatures.Span).Count);
        Assert.Contains("w1.example old 1", _handler.Submitted); // a proof from where it was, not from nothing
    }

    [AnvilFact]
    public async Task Checkpoint_WitnessSilent_SettlesWithoutItAndIsCosignedLater()
    {
        using var engine = Create(nameof(Checkpoint_WitnessSilent_SettlesWithoutItAndIsCosignedLater), "w1.example");
        _handler.Silent.Add("w1.example");
        engine.Start();
        var batch = await engine.AcceptUntilFinal();
        Assert.Empty(engine.Service.GetProof(batch.StatementId)!.Cosignatures.ToArray()); // the fault bit
        Assert.Equal(ConditionKind.WitnessUnavailable, Assert.Single(engine.Service.Conditions).Kind);

        _handler.Silent.Clear();
        await engine.Tick();
        Assert.NotEmpty(engine.Service.GetProof(batch.StatementId)!.Cosignatures.ToArray());
        Assert.Empty(engine.Service.Conditions);
        Assert.Equal(2, CheckpointNote.Parse(File.ReadAllBytes(Path.Combine(engine.Service.LogFolder, "checkpoint"))).Signatures.Count);
    }

    [AnvilTheory]
    [InlineData(200, "\u2014 w1.example AAAAAAAA\n")] // a line that is nobody's
    [InlineData(200, "rubbish")]
    [InlineData(409, "not a number\n")]
    [InlineData(409, "0\n")] // where we are already
    [InlineData(403, "no\n")]
    [InlineData(500, "")]
    public async Task Checkpoint_WitnessAnswersRubbish_SettlesWithoutIt(int status, string body)
    {
        using var engine = Create($"{nameof(Checkpoint_WitnessAnswersRubbish_SettlesWithoutIt)} {status} {body}", "w1.example");
        _handler.Lie = _ => (status, body);
        engine.Start();
        var batch = await engine.AcceptUntilFinal();
        Assert.NotEmpty(_handler.Submitted); // the fault bit
        Assert.Empty(engine.Service.GetProof(batch.StatementId)!.Cosignatures.ToArray());
        Assert.Equal(ConditionKind.WitnessUnavailable, Assert.Single(engine.Service.Conditions).Kind);
    }

    [AnvilFact]
    public async Task Start_WitnessKnowsMore_SignsNothingUntilTheNewFolderIsBack()
    {
        const string seed = nameof(Start_WitnessKnowsMore_SignsNothingUntilTheNewFolderIsBack);
        using var engine = Create(seed, "w1.example");
        engine.Start();
        await engine.RunUntilFinal(await engine.Accept());
        engine.Stop();
        using var backup = new TemporaryFolder();
        Copy(_folder.Path, backup.Path);

        // The newest state: two more statements, cosigned. Its chain is then lost, so that only the witness can tell.
        engine.Start();
        var signed = engine.Epoch.CheckpointsSigned;
        var (second, third) = (await engine.Accept(), await engine.Accept());
        await engine.RunUntilFinal(second, third);
        Assert.True(engine.Epoch.CheckpointsSigned > signed);
        engine.Stop();

        using var restored = new Doubles.Engine(anvil, seed, new LinuxDisk(), backup.Path) { Witnesses = _handler, Options = Options(engine.Options, backup.Path) };
        restored.Start();
        restored.Faults.Rewrite = OldHead(backup.Path);
        var late = await restored.Accept();
        for (var i = 0; i < 6; i++) await restored.Tick();
        Assert.Equal(0, restored.Epoch.CheckpointsSigned);
        Assert.True(restored.Faults.Bites > 0, "the chain told it by itself");
        Assert.Equal(ConditionKind.WitnessAhead, Assert.Single(restored.Service.Conditions).Kind);
        Assert.Contains("cosigned size 3", restored.Service.Conditions[0].Text, StringComparison.Ordinal);
        Assert.NotEqual(ReceiptStage.Anchored, restored.Service.Find(late.StatementId)!.Stage);
    }

    [AnvilFact]
    public async Task Checkpoint_WitnessHasAnotherHistory_SignsNothingMore()
    {
        const string seed = nameof(Checkpoint_WitnessHasAnotherHistory_SignsNothingMore);
        using var engine = Create(seed, "w1.example");
        // The log's key is used elsewhere, for another first leaf.
        var foreign = engine.Log.Note(1, Hash256.Sha256("another leaf"u8));
        Assert.Equal(200, _open[0].AddCheckpoint(new AddCheckpointRequest(0, [], foreign).Encode()).Status);
        engine.Start();
        var batch = await engine.Accept();
        for (var i = 0; i < 6; i++)
        {
            await engine.Tick();
            await anvil.Mine();
        }

        Assert.Equal(0, engine.Epoch.CheckpointsSigned); // it shows a checkpoint although nothing was signed here
        Assert.Equal(ConditionKind.WitnessAhead, Assert.Single(engine.Service.Conditions).Kind);
        Assert.Equal(ReceiptStage.Verified, engine.Service.Find(batch.StatementId)!.Stage);

        // Where both are of one size, the proof fails instead.
        _open[0].Dispose();
        Directory.Delete(Path.Combine(_witnesses.Path, "w1.example"), recursive: true);
        _open.Clear();
        Open("w1.example", engine.Log);
        await engine.RunUntilFinal(batch);
        Directory.Delete(Path.Combine(_witnesses.Path, "w1.example"), recursive: true);
        _open[0].Dispose();
        _open.Clear();
        Open("w1.example", engine.Log);
        Assert.Equal(200, _open[0].AddCheckpoint(new AddCheckpointRequest(0, [], foreign).Encode()).Status);
        var signed = engine.Epoch.CheckpointsSigned;
        engine.Stop();
        engine.Start(newEpoch: true);
        await engine.Accept();
        for (var i = 0; i < 6; i++)
        {
            await engine.Tick();
            await anvil.Mine();
        }

        Assert.Equal(0, engine.Epoch.CheckpointsSigned);
        Assert.True(signed > 0);
        Assert.Contains(engine.Service.Conditions, condition => condition.Kind == ConditionKind.WitnessDisagrees);
    }

    [AnvilFact]
    public async Task Proof_OldReceiptUnderTheNewestAnchor_IsInclusionAndConsistency()
    {
        using var engine = Create(nameof(Proof_OldReceiptUnderTheNewestAnchor_IsInclusionAndConsistency));
        engine.Start();
        var old = await engine.AcceptUntilFinal();
        for (var i = 0; i < 4; i++) await engine.RunUntilFinal(await engine.Accept());
        var first = engine.Service.GetProof(old.StatementId)!;
        var later = engine.Service.GetProofUnder(first, null)!;
        Assert.Equal((1UL, 5UL), (later.Inclusion!.TreeSize, later.Checkpoint!.Size));
        Assert.NotEqual(first.Anchor, later.Anchor);
        var root = MerkleTree.RootFromPath(old.StatementId, later.Inclusion.LeafIndex, later.Inclusion.TreeSize, later.Inclusion.Path)!.Value;
        Assert.True(MerkleTree.VerifyConsistency(1, root, 5, later.Checkpoint.Root, later.Consistency!));
        Assert.Equal(3UL, engine.Service.GetProofUnder(first, 3)!.Checkpoint!.Size);
        Assert.Same(first, engine.Service.GetProofUnder(first, 1));
        Assert.Null(engine.Service.GetProofUnder(first, 99));
        var newest = engine.Service.GetProof((await engine.Accept()).StatementId)!;
        Assert.Null(engine.Service.GetProofUnder(newest, null)); // no checkpoint covers it
    }

    private Doubles.Engine Create(string seed, params string[] witnesses)
    {
        var engine = new Doubles.Engine(anvil, seed, new LinuxDisk(), _folder.Path) { Witnesses = _handler };
        engine.Options = engine.Options with { Witnesses = [.. witnesses.Select(host => Open(host, engine.Log))] };
        return engine;
    }

    private WitnessAddress Open(string host, TestLog log)
    {
        var witness = Witness.Open(new WitnessParts
        {
            Name = host, Key = Ed25519.FromSeed(host), Signatures = TestSignatures.Instance, Folder = Path.Combine(_witnesses.Path, host), Disk = new QuickDisk(), Logs = [new WitnessedLog(log.VerifierKey, null)],
        });
        _open.Add(witness);
        return _handler.Add(host, witness);
    }

    private static SettlementOptions Options(SettlementOptions options, string folder) => options with { DataFolder = folder };

    // The node shows the contract's head as it was when the backup was made. A head ends in its size; the newer one's is 3.
    private static Func<string, string, string> OldHead(string folder)
    {
        var note = CheckpointNote.Parse(File.ReadAllBytes(Path.Combine(folder, "log", "checkpoint")));
        Assert.Equal(1UL, note.Size);
        return (_, answer) => Regex.Replace(answer, "0x[0-9a-f]{48}0000000000000003", "0x" + LogHead.Pack(note.Root, note.Size));
    }

    private static void Copy(string from, string to)
    {
        foreach (var folder in Directory.GetDirectories(from, "*", SearchOption.AllDirectories)) Directory.CreateDirectory(folder.Replace(from, to, StringComparison.Ordinal));
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories)) File.Copy(file, file.Replace(from, to, StringComparison.Ordinal));
    }
}
