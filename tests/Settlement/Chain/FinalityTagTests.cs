using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Chain;

/// <summary>What the chain's own tags make final. The node's epochs are two blocks long, so that safe lies two blocks back and finalized four.</summary>
public sealed class FinalityTagTests(Anvil anvil) : IClassFixture<Anvil>
{
    [AnvilTheory]
    [InlineData(FinalityTag.Safe)]
    [InlineData(FinalityTag.Finalized)]
    public async Task Settler_ByATag_CallsFinalWhatTheTagCoversAndNothingEarlier(FinalityTag tag)
    {
        using var folder = new TemporaryFolder();
        using var engine = new Doubles.Engine(anvil, $"{tag}", new LinuxDisk(), folder.Path);
        engine.Options = engine.Options with { UseFinalizedTag = true, FinalityTag = tag };
        engine.Start();
        var batch = await engine.Accept();
        ulong before = 0, covered = 0;
        for (var round = 0; engine.Service.Find(batch.StatementId)!.Stage != ReceiptStage.Final; round++)
        {
            Assert.True(round < 40, "never final");
            (before, covered) = (covered, await Block(tag));
            await engine.Tick();
            if (engine.Service.Find(batch.StatementId)!.Stage != ReceiptStage.Final) await anvil.Mine();
        }

        var block = engine.Service.Find(batch.StatementId)!.Inclusion!.BlockNumber;
        Assert.InRange(block, before + 1, covered);
        if (tag == FinalityTag.Safe) Assert.True(await Block(FinalityTag.Finalized) < block, "the tags tell nothing apart here");
        await engine.Audit(batch);
    }

    private async Task<ulong> Block(FinalityTag tag) =>
        Convert.ToUInt64((await anvil.Call("eth_getBlockByNumber", $"[\"{tag.ToString().ToLowerInvariant()}\",false]")).Result.GetProperty("number").GetString(), 16);
}
