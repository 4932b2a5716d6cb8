using System.Buffers.Binary;
using System.Security.Cryptography;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Trust;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Tests.Doubles;
using OpenGradient.Engine.Verification.Audit;
using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Hosting.Tests.Auditing;

/// <summary>From the answer over the anchor to the audit, with a real engine, real signatures and a real node.</summary>
public sealed class AuditPipelineTests(Anvil anvil) : IClassFixture<Anvil>, IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("og-audit-");

    public void Dispose() => _folder.Delete(recursive: true);

    [AnvilFact]
    public async Task Engine_Honest_IsReproducedRowByRow()
    {
        await using var pipeline = await Start(oneIn: 1);
        var receipts = await pipeline.Answer(12);
        await pipeline.Settle(receipts);
        await pipeline.AuditAll();

        Assert.All(receipts, receipt => Assert.Equal(AuditOutcome.Reproduced, pipeline.OutcomeOf(receipt)));
        Assert.Empty(pipeline.Settlement.Audits.Disputes);
        Assert.False(Directory.Exists(pipeline.Fraud));
        Assert.Equal((0L, 0L), (pipeline.Retention.Report.Rows, pipeline.Retention.Report.Bytes)); // nothing is kept longer than needed
        await pipeline.Answer(1); // and it serves on
    }

    [AnvilFact]
    public async Task Sample_IsWhatAnybodyRecomputesFromTheChain()
    {
        const uint oneIn = 3;
        await using var pipeline = await Start(oneIn);
        var receipts = new List<Receipt>();
        for (var round = 0; round < 3; round++)
        {
            var some = await pipeline.Answer(20);
            await pipeline.Settle(some);
            receipts.AddRange(some);
        }

        await pipeline.AuditAll();
        var expected = await Recompute(pipeline, oneIn);
        var drawn = receipts.Where(receipt => pipeline.OutcomeOf(receipt) is not null).Select(receipt => (pipeline.Settlement.Find(receipt.Id)!.Statement.Leaf!.Value, receipt.Row)).ToHashSet();
        Assert.Equal(expected.Order(), drawn.Order());
        Assert.InRange(drawn.Count, 1, receipts.Count - 1);
        Assert.All(receipts.Where(receipt => pipeline.OutcomeOf(receipt) is not null), receipt => Assert.Equal(AuditOutcome.Reproduced, pipeline.OutcomeOf(receipt)));
    }

    [AnvilFact]
    public async Task Engine_ThatLies_IsDisputedWithinTheSampleAndItsKeyStops()
    {
        await using var pipeline = await Start(oneIn: 3);
        var honest = await pipeline.Answer(10);
        pipeline.Backend.LieFrom = 1;
        var lies = await pipeline.Answer(50);
        Assert.True(pipeline.Backend.Lies >= 50);
        await pipeline.Settle(lies);
        await pipeline.AuditAll();

        Assert.All(honest, receipt => Assert.NotEqual(AuditOutcome.Disputed, pipeline.OutcomeOf(receipt)));
        // One in three of 50: none is drawn once in 640 million runs.
        var drawn = lies.Where(receipt => pipeline.OutcomeOf(receipt) is not null).ToArray();
        Assert.NotEmpty(drawn);
        Assert.All(drawn, receipt => Assert.Equal(AuditOutcome.Disputed, pipeline.OutcomeOf(receipt)));
        Assert.Equal(drawn.Length, pipeline.Settlement.Audits.Disputes.Count);
        Assert.Equal(drawn.Length, Directory.GetFiles(pipeline.Fraud).Length);
        await CheckFraud(pipeline, drawn[0]);
        await CheckCommand(pipeline, drawn[0]);

        var failure = await Assert.ThrowsAsync<InferenceException>(async () => await pipeline.Answer(1));
        Assert.Equal(InferenceFailureKind.SealingFailed, failure.Failure!.Kind);
        Assert.Contains("signing key was stopped", failure.Failure.Message);
        Assert.Contains("gave other bits", pipeline.Settlement.Audits.HaltOf(pipeline.Epoch.Epoch.Id)!.Reason);
    }

    [AnvilFact]
    public async Task Engine_ThatLies_GoesOnUnderThePolicyThatSaysSo()
    {
        await using var pipeline = await Start(oneIn: 1, halts: false);
        pipeline.Backend.LieFrom = 1;
        var lies = await pipeline.Answer(2);
        await pipeline.Settle(lies);
        await pipeline.AuditAll();
        Assert.All(lies, receipt => Assert.Equal(AuditOutcome.Disputed, pipeline.OutcomeOf(receipt)));
        Assert.Null(pipeline.Settlement.Audits.HaltOf(pipeline.Epoch.Epoch.Id));
        await pipeline.Answer(1);
    }

    [AnvilTheory]
    [InlineData("disk", AuditOutcome.Reproduced, AuditReason.None)]
    [InlineData("memory", AuditOutcome.NotReproducible, AuditReason.NotRetained)]
    public async Task Restart_BetweenAnchorAndAudit_GoesOn(string retention, AuditOutcome outcome, AuditReason reason)
    {
        List<Receipt> receipts;
        await using (var pipeline = await Start(oneIn: 1, retention))
        {
            receipts = await pipeline.Answer(5);
            await pipeline.Settle(receipts);
            Assert.Equal(0, pipeline.Settlement.Audits.Totals.Draws);
        }

        await using var again = await Start(oneIn: 1, retention);
        await again.AuditAll();
        Assert.All(receipts, receipt => Assert.Equal((outcome, reason), (again.OutcomeOf(receipt), again.Settlement.Find(receipt.Id)!.Audit!.Reason)));
    }

    [AnvilFact]
    public async Task Retention_OffOrErased_IsNamedAndNeverPassedOver()
    {
        await using (var without = await Start(oneIn: 1, "off"))
        {
            var unkept = await without.Answer(2);
            await without.Settle(unkept);
            await without.AuditAll();
            Assert.All(unkept, receipt => Assert.Equal(AuditReason.NotRetained, without.Settlement.Find(receipt.Id)!.Audit!.Reason));
        }

        await using var pipeline = await Start(oneIn: 1);
        var receipts = await pipeline.Answer(3);
        Assert.True(pipeline.Retention.Erase(receipts[1].StatementId, receipts[1].Row));
        await pipeline.Settle(receipts);
        await pipeline.AuditAll();
        Assert.Equal([AuditReason.None, AuditReason.Erased, AuditReason.None], receipts.Select(receipt => pipeline.Settlement.Find(receipt.Id)!.Audit!.Reason));
    }

    private Task<Pipeline> Start(uint oneIn, string retention = "memory", bool halts = true) => Pipeline.Start(anvil, _folder.FullName, oneIn, retention, halts);

    // The file alone, the trust policy, the node and the model: nothing of the process that wrote it.
    private async Task CheckFraud(Pipeline pipeline, Receipt receipt)
    {
        var leaf = pipeline.Settlement.Find(receipt.Id)!.Statement.Leaf;
        var bundle = FraudBundle.Decode(await File.ReadAllBytesAsync(Path.Combine(pipeline.Fraud, $"{leaf}-{receipt.Row}.ogf")));
        Assert.Equal(receipt.Encode(), bundle.Receipt.Receipt.Encode());
        Assert.Empty(FraudCheck.Contradictions(bundle));
        Assert.Empty(Pipeline.Verifier.Verify(bundle.Receipt, pipeline.Trust));
        Assert.Empty(await AnchorChecker.Check(bundle.Receipt, pipeline.Trust, anvil.Rpc, CancellationToken.None));
        Assert.Equal(bundle.Beacon.BlockHash, await BlockHash(bundle.Beacon.BlockNumber));
        using var replayer = new Replay.BundleReplayer();
        var replay = replayer.Replay(bundle.Receipt, Pipeline.Model, FraudCheck.InputOf(bundle), FraudCheck.AnswerOf(bundle));
        Assert.Equal(ReplayOutcome.Differs, replay.Outcome);
        Assert.Equal(1, Assert.Single(FraudCheck.Differences(bundle).Deviations).Different);
    }

    // What somebody runs who was sent the file.
    private async Task CheckCommand(Pipeline pipeline, Receipt receipt)
    {
        var file = Path.Combine(pipeline.Fraud, $"{pipeline.Settlement.Find(receipt.Id)!.Statement.Leaf}-{receipt.Row}.ogf");
        var trust = Path.Combine(_folder.FullName, "trust.json");
        await File.WriteAllBytesAsync(trust, new TrustFile
        {
            Version = 1, Logs = [pipeline.LogId.ToString()],
            Chain = new TrustedChain { Id = 31337, Contract = anvil.Contract.ToString(), Rpc = anvil.Endpoint.ToString(), FinalityDepth = 3 },
            Evidence = new TrustedEvidence { Accept = ["software"], SoftwareRoots = [Convert.ToHexStringLower(pipeline.Trust.Evidence.SoftwareRoots[0].Span)], AnyBuild = true },
        }.Encode());
        var (code, output) = await Og("fraud", "inspect", file, "--trust", trust, "--model", Pipeline.Model);
        Assert.True(code == 0, output);
        Assert.Contains("the dispute stands", output);
        Assert.Contains("differs", output);
        Assert.Contains("proof and the block hold", output);

        var bytes = await File.ReadAllBytesAsync(file);
        var bundle = FraudBundle.Decode(bytes);
        var forged = Path.Combine(_folder.FullName, "forged.ogf");
        await File.WriteAllBytesAsync(forged, (bundle with { OwnOutput = bundle.ClaimedOutput!.Value }).Encode());
        Assert.Equal(1, (await Og("fraud", "inspect", forged)).Code);
        await File.WriteAllBytesAsync(forged, bytes[..^1]);
        Assert.Equal(2, (await Og("fraud", "inspect", forged)).Code);

        // Another draw than the chain's: the block's hash changed so that it still picks the row.
        var other = Enumerable.Range(0, 1000).Select(i => bundle with { Beacon = bundle.Beacon with { BlockHash = Hash256.Sha256([(byte)i, (byte)(i >> 8)]) } }).First(each => FraudCheck.Contradictions(each).Count == 0);
        await File.WriteAllBytesAsync(forged, other.Encode());
        Assert.Equal(0, (await Og("fraud", "inspect", forged)).Code);
        Assert.Equal(1, (await Og("fraud", "inspect", forged, "--trust", trust)).Code);
    }

    private static async Task<(int Code, string Output)> Og(params string[] arguments)
    {
        using var og = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "og"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (og.StandardOutput.ReadToEndAsync(), og.StandardError.ReadToEndAsync());
        await og.WaitForExitAsync();
        return (og.ExitCode, await output + await error);
    }

    // docs/formats.md, "Audit draw", with nothing of this project but the log's contents.
    private async Task<HashSet<(ulong, uint)>> Recompute(Pipeline pipeline, uint oneIn)
    {
        var due = new HashSet<(ulong, uint)>();
        var first = 0ul;
        foreach (var item in await anvil.Anchors(pipeline.LogId))
        {
            var anchored = item.Anchored(pipeline.LogId)!.Value;
            var number = item.At.BlockNumber + 4;
            var seed = SHA256.HashData([.. "OGE audit v1\0\0\0\0"u8, .. pipeline.LogId.Bytes, .. Big(anchored.Size), .. anchored.Root.Bytes, .. Big(31337), .. Big(number), .. (await BlockHash(number)).Bytes]);
            for (var leaf = first; leaf < anchored.Size; leaf++)
                for (var row = 0u; row < ReceiptsAt(pipeline, leaf); row++)
                    if ((UInt128)BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData([.. seed, .. Big(leaf), .. Big(row)[4..]])) * oneIn < (UInt128)1 << 64) due.Add((leaf, row));
            first = anchored.Size;
        }

        return due;
    }

    private static uint ReceiptsAt(Pipeline pipeline, ulong leaf)
    {
        var anchor = pipeline.Settlement.Audits.RecentDraws.Single(draw => draw.Anchor.FirstLeaf <= leaf && leaf < draw.Anchor.Size).Anchor;
        return Statement.Decode(pipeline.Settlement.ReadStatement(pipeline.Settlement.Audits.StatementsOf(anchor, leaf, 1)[0].Id)).Receipts;
    }

    private async Task<Hash256> BlockHash(ulong number) =>
        Hash256.Parse((await anvil.Call("eth_getBlockByNumber", $"[\"0x{number:x}\",false]")).Result.GetProperty("hash").GetString());

    private static byte[] Big(ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return bytes;
    }
}
