using System.Text;
using System.Text.RegularExpressions;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Custody;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Tests.Doubles;
using OpenGradient.Engine.Settlement.Witnessing;

namespace OpenGradient.Engine.Settlement.Tests.Custody;

/// <summary>One folder with 300 leaves, anchored in several steps and cosigned; each test spoils a copy of it.</summary>
public sealed class AuditedFolder : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new(), _witnessFolder = new();
    private readonly WitnessHandler _handler = new();
    private Witness? _witness;

    public Anvil Anvil { get; } = new();

    public string Path => System.IO.Path.Combine(_folder.Path, "data");

    internal Doubles.Engine Engine { get; private set; } = null!;

    internal Witness Witness => _witness!;

    public async Task InitializeAsync()
    {
        await Anvil.InitializeAsync();
        if (Anvil.Binary is null) return;
        Engine = new Doubles.Engine(Anvil, "audited", new QuickDisk(), Path) { Witnesses = _handler };
        _witness = Witness.Open(new WitnessParts
        {
            Name = "w.example", Key = Ed25519.FromSeed("w.example"), Signatures = TestSignatures.Instance, Folder = _witnessFolder.Path, Disk = new QuickDisk(), Logs = [new WitnessedLog(Engine.Log.VerifierKey, null)],
        });
        Engine.Options = Engine.Options with { Witnesses = [_handler.Add("w.example", _witness)], DataFolder = Path, HaltOnBadStatement = false };
        Engine.Start();
        var bad = Engine.NewBatch();
        Engine.Verifier.Bad.Add(bad.StatementId);
        Engine.Service.TryAccept(bad);
        foreach (var count in new[] { 1, 4, 245, 20, 30 })
        {
            var batches = Enumerable.Range(0, count).Select(_ => Engine.NewBatch(2)).ToArray();
            foreach (var batch in batches) Assert.True(Engine.Service.TryAccept(batch));
            foreach (var batch in batches) await Engine.Service.WaitAsync(batch.StatementId, ReceiptStage.Durable, CancellationToken.None);
            await Engine.RunUntilFinal(batches);
            await Engine.Tick();
            if (count == 4) Engine.Stop();
            if (count == 4) Engine.Start(newEpoch: true);
        }

        Engine.Stop();
    }

    public async Task DisposeAsync() => await Anvil.DisposeAsync();

    public void Dispose()
    {
        _witness?.Dispose();
        _folder.Dispose();
        _witnessFolder.Dispose();
    }
}

/// <summary>Every kind of file, spoiled: the audit names it, the byte, and what should be there.</summary>
public sealed class AuditTests(AuditedFolder audited) : IClassFixture<AuditedFolder>, IDisposable
{
    private readonly TemporaryFolder _copies = new();
    private readonly HttpClient _http = new();
    private int _number;

    public void Dispose()
    {
        _copies.Dispose();
        _http.Dispose();
    }

    [AnvilFact]
    public async Task Audit_WholeFolder_Holds()
    {
        var report = await Audit(audited.Path);
        Assert.True(report.Finding is null, report.Finding?.ToString());
        Assert.Equal((300UL, 301L, 1L, 5L, 5L), (report.Leaves, report.Statements, report.Quarantined, report.Checkpoints, report.Anchors));
        Assert.Equal(5, report.Cosignatures);
        Assert.True(report is { ChainAsked: true, Segments: > 1, Tiles: >= 3, Bundles: >= 2, OtherRecords: 0 });
        Assert.Empty(report.Remarks);
    }

    [AnvilFact]
    public async Task Audit_AnyByteOfASegmentFlipped_IsNamed()
    {
        var names = Directory.GetFiles(Path.Combine(audited.Path, "outbox"), "*.seg").Select(file => Path.GetFileName(file)).Order().ToArray();
        var random = new Random(7);
        foreach (var name in names)
        {
            var (folder, file) = Copy("outbox", name);
            // The newest segment ends in zeros that nobody wrote yet.
            var written = File.ReadAllBytes(file).AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
            // Header, first frame's head, and places everywhere.
            foreach (var offset in Enumerable.Range(0, 90).Where(at => at % 3 == 0 || name == names[1]).Concat(Enumerable.Range(0, 30).Select(_ => random.Next(written))))
            {
                var mask = (byte)(1 << random.Next(8));
                var before = Flip(file, offset, mask);
                var finding = (await Audit(folder, chain: false)).Finding;
                Assert.True(finding is not null, $"{name}, offset {offset} was flipped unnoticed");
                Assert.True(finding.File == file && finding.Offset == offset, $"{name}, offset {offset}: {finding}");
                if (finding.Expected.Contains("0x", StringComparison.Ordinal)) Assert.Contains($"0x{before:x2} expected", finding.Expected, StringComparison.Ordinal);
                Flip(file, offset, mask);
            }
        }
    }

    [AnvilFact]
    public async Task Audit_RecordWithManyWrongBytes_IsNamedByItsFrame()
    {
        var (folder, file) = Copy("outbox", "outbox-00000001.seg");
        for (var i = 0; i < 9; i++) Flip(file, 300 + (7 * i), 0x55);
        var finding = (await Audit(folder, chain: false)).Finding!;
        Assert.Equal(file, finding.File);
        Assert.InRange(finding.Offset!.Value, 56, 300);
        Assert.Contains("more than one byte is wrong", finding.Expected, StringComparison.Ordinal);
    }

    [AnvilTheory]
    [InlineData("tile/0/000")]
    [InlineData("tile/0/001.p/44")]
    [InlineData("tile/1/000.p/1")]
    [InlineData("tile/entries/000")]
    [InlineData("tile/entries/001.p/44")]
    [InlineData("tile/entries/001.p/14")] // of an earlier checkpoint
    [InlineData("checkpoint")]
    public async Task Audit_AnyByteOfAPublishedFileFlipped_IsNamedWithWhatShouldBeThere(string name)
    {
        var random = new Random(name.Length);
        var size = (int)new FileInfo(Path.Combine(audited.Path, "log", name)).Length;
        var (folder, file) = Copy("log", name);
        foreach (var offset in new[] { 0, 1, size - 1 }.Concat(Enumerable.Range(0, name == "checkpoint" ? size : 25).Select(i => name == "checkpoint" ? i : random.Next(size))))
        {
            var mask = (byte)(1 << random.Next(7));
            var before = Flip(file, offset, mask);
            var finding = (await Audit(folder, chain: false)).Finding;
            Assert.True(finding?.File == file && finding.Offset == offset, $"{name}, offset {offset}: {finding?.ToString() ?? "unnoticed"}");
            Assert.Contains($"0x{before:x2} expected", finding!.Expected, StringComparison.Ordinal);
            Flip(file, offset, mask);
        }
    }

    [AnvilTheory]
    [InlineData("log/tile/0/000")]
    [InlineData("log/tile/0/001.p/44")]
    [InlineData("log/tile/entries/000")]
    [InlineData("log/tile/entries/001.p/44")]
    [InlineData("log/checkpoint")]
    [InlineData("outbox/outbox-00000001.seg")]
    public async Task Audit_FileMissingCutOrLonger_IsNamed(string path)
    {
        var (folder, file) = Copy(Path.GetDirectoryName(path)!, Path.GetFileName(path));
        var bytes = File.ReadAllBytes(file);
        File.Delete(file);
        Assert.Equal((file, 0L), await Found(folder));
        File.WriteAllBytes(file, bytes[..^(path.EndsWith(".seg", StringComparison.Ordinal) ? bytes.Length - 200 : 3)]);
        Assert.Equal(file, (await Found(folder)).File);
        if (path.EndsWith(".seg", StringComparison.Ordinal)) return;
        File.WriteAllBytes(file, [.. bytes, 1]);
        Assert.Equal((file, (long)bytes.Length), await Found(folder));
    }

    [AnvilFact]
    public async Task Audit_StatementWhoseSignatureFails_IsNamedWhereItLies()
    {
        var keys = new Judge(audited.Engine) { Refuse = 17 };
        var report = await Run(audited.Path, keys, null);
        Assert.StartsWith(Path.Combine(audited.Path, "outbox"), report.Finding!.File);
        Assert.Contains("statement-signature-invalid", report.Finding.Expected, StringComparison.Ordinal);
    }

    [AnvilFact]
    public async Task Audit_ChainThatLacksOrChangedAnAnchor_IsNamed()
    {
        var faults = new FaultHandler { Rewrite = (request, answer) => request.Contains("eth_getTransactionReceipt", StringComparison.Ordinal) ? Regex.Replace(answer, "\"logIndex\":\"0x0\"", "\"logIndex\":\"0x7\"") : answer };
        using var http = new HttpClient(faults);
        var finding = (await Audit(audited.Path, http: http)).Finding!;
        Assert.True(faults.Bites > 0);
        Assert.StartsWith("chain, transaction 0x", finding.File);
        Assert.Null(finding.Offset);

        var head = new FaultHandler { Rewrite = (_, answer) => Regex.Replace(answer, "0x[0-9a-f]{48}000000000000012c", match => "0x" + new string('a', 48) + "000000000000012c") };
        using var other = new HttpClient(head);
        Assert.Contains("head of this log", (await Audit(audited.Path, http: other)).Finding!.Expected, StringComparison.Ordinal);
        Assert.True(head.Bites > 0);
    }

    [AnvilFact]
    public async Task Audit_OutboxOlderThanTheLog_IsNamed()
    {
        var (folder, _) = Copy("outbox", "outbox-00000001.seg");
        var names = Directory.GetFiles(Path.Combine(folder, "outbox"), "*.seg").Order().ToArray();
        foreach (var newer in names.Skip(2)) File.Delete(newer);
        var finding = (await Audit(folder, chain: false)).Finding!;
        Assert.Contains("300", finding.Expected, StringComparison.Ordinal);
    }

    [AnvilFact]
    public async Task Audit_WhileTheEngineWrites_Holds()
    {
        var (folder, _) = Copy("outbox", "outbox-00000001.seg");
        using var engine = new Doubles.Engine(audited.Anvil, "audited", new QuickDisk(), folder) { Witnesses = null };
        engine.Options = engine.Options with { DataFolder = folder };
        foreach (var (id, epoch) in audited.Engine.Epochs) engine.Epochs[id] = epoch;
        engine.Start(newEpoch: true);
        engine.Epochs[engine.Epoch.Epoch.Id] = engine.Epoch;
        using var stop = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                engine.Service.TryAccept(engine.NewBatch(3));
                await Task.Delay(1);
            }
        });
        for (var i = 0; i < 12; i++)
        {
            var report = await Run(folder, new Judge(engine), null, engine.Log.LogId);
            Assert.True(report.Finding is null, report.Finding?.ToString());
        }

        await stop.CancelAsync();
        await writing;
    }

    [AnvilFact]
    public async Task Audit_WitnessWithAnotherHistory_GivesTheEvidence()
    {
        var log = audited.Engine.Log;
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(Path.Combine(folder.Path, new WitnessedLog(log.VerifierKey, null).OriginHash));
        var forged = log.Note(40, Hash256.Sha256("another history"u8));
        File.WriteAllBytes(Path.Combine(folder.Path, new WitnessedLog(log.VerifierKey, null).OriginHash, "checkpoint"), forged);
        var report = await Run(audited.Path, new Judge(audited.Engine), null, witness: new WitnessView("w", new FolderLogFiles(folder.Path)));
        Assert.Contains("signed two histories", report.Finding!.Expected, StringComparison.Ordinal);
        Assert.Equal(EquivocationKind.LogKey, report.Equivocation!.Kind);
        Assert.Equal(forged, report.Equivocation.First.ToArray());

        File.WriteAllBytes(Path.Combine(folder.Path, new WitnessedLog(log.VerifierKey, null).OriginHash, "checkpoint"), audited.Witness.CheckpointOf(new WitnessedLog(log.VerifierKey, null).OriginHash)!);
        Assert.Null((await Run(audited.Path, new Judge(audited.Engine), null, witness: new WitnessView("w", new FolderLogFiles(folder.Path)))).Finding);
    }

    [AnvilFact]
    public async Task Published_WholeLog_HoldsAndEveryFlipIsFound()
    {
        Assert.Null((await Published(audited.Path, chain: true)).Finding);
        var random = new Random(3);
        foreach (var name in new[] { "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44", "checkpoint" })
        {
            var (folder, file) = Copy("log", name);
            for (var i = 0; i < 12; i++)
            {
                var offset = random.Next((int)new FileInfo(file).Length);
                Flip(file, offset, 1);
                var finding = (await Published(folder, chain: false)).Finding;
                // Without the outbox an entry's own bytes are known as a whole only, and a note's by its signatures.
                Assert.True(finding?.File == file, $"{name}, offset {offset}: {finding?.ToString() ?? "unnoticed"}");
                if (name.StartsWith("tile/0", StringComparison.Ordinal) || name.StartsWith("tile/1", StringComparison.Ordinal)) Assert.Equal(offset, finding!.Offset);
                Assert.InRange(finding!.Offset!.Value, 0, offset);
                Flip(file, offset, 1);
            }
        }
    }

    [AnvilFact]
    public async Task Equivocation_TwoCheckpointsOfOneSize_ConvictTheKeyOnTheChain()
    {
        var key = Secp256k1.FromSeed("twice");
        var epoch = Hash256.Sha256("epoch"u8);
        var log = new TestLog("twice");
        SignedCheckpoint Signed(Hash256 root)
        {
            var claim = new CheckpointClaim(log.LogId, 7, root, LogHead.Empty, Anvil.ChainId, audited.Anvil.Contract);
            return new(7, root, LogHead.Empty, Anvil.ChainId, audited.Anvil.Contract, epoch, key.SignDigest(claim.Digest()), log.PublicKey.ToArray(), log.Note(7, root));
        }

        await Send(LedgerAbi.RegisterKey(log.LogId, key.Address, epoch, epoch, default));
        Assert.Null(Equivocation.OfCheckpoints(log.LogId, Signed(epoch), Signed(epoch)));
        var twice = Equivocation.OfCheckpoints(log.LogId, Signed(epoch), Signed(Hash256.Sha256("other"u8)))!;
        Assert.Equal((EquivocationKind.Checkpoint, audited.Anvil.Contract), (twice.Kind, twice.Contract!.Value));
        await Send(twice.Call.ToArray());
        var chain = new EvmChain(audited.Anvil.Rpc, audited.Anvil.Contract);
        Assert.Equal(KeyStanding.Faulty, (await chain.KeysAsync([key.Address], CancellationToken.None)).Value[0].Standing);
    }

    [AnvilFact]
    public async Task Equivocation_TwoStatementsWithOneSequence_ConvictTheKeyOnTheChain()
    {
        var (first, second) = (new TestLog("same"), new TestLog("same"));
        var epoch = new TestEpoch("same");
        var random = new Random(1);
        var (a, b) = (first.Batch(epoch, 1, random), second.Batch(epoch, 1, random)); // both count from 1
        await Send(LedgerAbi.RegisterKey(first.LogId, epoch.Key.Address, epoch.Epoch.EvidenceDigest, epoch.Epoch.Id, default));
        Assert.Null(Equivocation.OfStatements(audited.Anvil.Contract, a.Statement, a.Statement));
        Assert.Null(Equivocation.OfStatements(audited.Anvil.Contract, a.Statement, first.Batch(epoch, 1, random).Statement));
        var twice = Equivocation.OfStatements(audited.Anvil.Contract, a.Statement, b.Statement)!;
        await Send(twice.Call.ToArray());
        var chain = new EvmChain(audited.Anvil.Rpc, audited.Anvil.Contract);
        Assert.Equal(KeyStanding.Faulty, (await chain.KeysAsync([epoch.Key.Address], CancellationToken.None)).Value[0].Standing);
    }

    private async Task Send(byte[] call)
    {
        var (account, anvil) = (audited.Anvil.Account, audited.Anvil);
        var nonce = Convert.ToUInt64((await anvil.Call("eth_getTransactionCount", $"[\"{account.Address}\",\"latest\"]")).Text, 16);
        var transaction = new Eip1559Transaction(Anvil.ChainId, nonce, 1_000_000_000, 100_000_000_000, 500_000, anvil.Contract, 0, call);
        var raw = transaction.Encode(account.SignDigest(transaction.SigningHash()));
        Assert.True((await new EvmChain(anvil.Rpc, anvil.Contract).SendAsync(raw, CancellationToken.None)).IsOk);
        await anvil.Mine();
        var receipt = await new EvmChain(anvil.Rpc, anvil.Contract).ReceiptAsync(Eip1559Transaction.HashOf(raw), CancellationToken.None);
        Assert.True(receipt.Value is { Succeeded: true }, "the call reverted");
    }

    private async Task<(string File, long? Offset)> Found(string folder)
    {
        var finding = (await Audit(folder, chain: false)).Finding;
        return (finding?.File ?? "nothing", finding?.Offset);
    }

    private Task<AuditReport> Audit(string folder, bool chain = true, HttpClient? http = null) => Run(folder, new Judge(audited.Engine), chain ? Chain(http) : null);

    private Task<AuditReport> Run(string folder, Judge judge, EvmChain? chain, Hash256? logId = null, WitnessView? witness = null) =>
        new DataFolderAudit(folder, Trust(judge, logId), chain, witness is null ? [] : [witness], TimeProvider.System).RunAsync(CancellationToken.None);

    private Task<AuditReport> Published(string folder, bool chain) => new PublishedLogAudit(
        new FolderLogFiles(Path.Combine(folder, "log")), Trust(new Judge(audited.Engine), null), audited.Engine.Log.PublicKey.ToArray(),
        (_, _) => Task.FromResult<byte[]?>(null), chain ? Chain(null) : null, []).RunAsync(CancellationToken.None);

    private EvmChain Chain(HttpClient? http) => new(new RpcClient(http ?? _http, new RpcOptions { Endpoint = audited.Anvil.Endpoint, Timeout = TimeSpan.FromSeconds(30) }), audited.Anvil.Contract);

    private AuditTrust Trust(Judge judge, Hash256? logId) => new()
    {
        LogId = logId ?? audited.Engine.Log.LogId, ChainId = Anvil.ChainId, Contract = audited.Anvil.Contract, Signatures = TestSignatures.Instance, Epochs = judge, Witnesses = [audited.Witness.Key],
    };

    private (string Folder, string File) Copy(string kind, string name)
    {
        var folder = Path.Combine(_copies.Path, $"{_number++}");
        foreach (var from in Directory.GetFiles(audited.Path, "*", SearchOption.AllDirectories))
        {
            var to = Path.Combine(folder, Path.GetRelativePath(audited.Path, from));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(from, to);
        }

        return (folder, Path.Combine(folder, kind, name));
    }

    private static byte Flip(string file, long offset, byte mask)
    {
        using var stream = File.Open(file, FileMode.Open);
        stream.Position = offset;
        var before = (byte)stream.ReadByte();
        stream.Position = offset;
        stream.WriteByte((byte)(before ^ mask));
        return before;
    }

    /// <summary>Knows the test's epochs; checks signatures by the doubles' library.</summary>
    private sealed class Judge(Doubles.Engine engine) : IEpochJudge
    {
        private int _seen;

        /// <summary>The statement with this number fails.</summary>
        public int Refuse { get; init; } = -1;

        public IReadOnlyList<VerificationReason> Add(ReadOnlyMemory<byte> evidence) => engine.Epochs.ContainsKey(Evidence.Decode(evidence.Span).Epoch) ? [] : [VerificationReason.EpochUnknown];

        public ReadOnlyMemory<byte>? SigningKey(Hash256 epoch) => engine.Epochs.TryGetValue(epoch, out var known) ? known.Key.PublicKey : null;

        public IReadOnlyList<VerificationReason> Verify(ReadOnlyMemory<byte> statement)
        {
            if (_seen++ == Refuse) return [VerificationReason.StatementSignatureInvalid];
            Statement decoded;
            try
            {
                decoded = Statement.Decode(statement.Span);
            }
            catch (FormatException)
            {
                return [VerificationReason.StatementMalformed];
            }

            if (!decoded.Encode().AsSpan().SequenceEqual(statement.Span)) return [VerificationReason.StatementMalformed];
            return SigningKey(decoded.Epoch) is { } key && TestSignatures.Instance.VerifySecp256k1(key.Span, decoded.SignedDigest, decoded.Signature.Span) ? [] : [VerificationReason.StatementSignatureInvalid];
        }
    }
}
