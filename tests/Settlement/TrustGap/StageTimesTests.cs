using System.Buffers.Binary;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.State;
using OpenGradient.Engine.Settlement.Tests.Doubles;
using OpenGradient.Engine.Settlement.Tests.Outbox;

namespace OpenGradient.Engine.Settlement.Tests.TrustGap;

/// <summary>What was said of a receipt's times is said again after a restart.</summary>
public sealed class StageTimesTests(Anvil anvil) : IClassFixture<Anvil>
{
    [Theory]
    [InlineData(false, false)] // durable alone
    [InlineData(true, false)] // verified
    [InlineData(true, true)] // quarantined
    public async Task Times_OfAStatementThatASlowDiskKept_AreTheSameAfterARestart(bool isChecked, bool isBad)
    {
        using var fixture = new GapFixture();
        StatementStatus before;
        var batch = fixture.Batch(3);
        if (isBad) fixture.Verifier.Bad.Add(batch.StatementId);
        using (var service = fixture.Open())
        {
            fixture.Disk.Close();
            Assert.True(service.TryAccept(batch));
            fixture.Clock.StepSeconds(7);
            fixture.Disk.Open();
            await service.WaitAsync(batch.StatementId, ReceiptStage.Durable, CancellationToken.None);
            fixture.Clock.StepSeconds(1);
            if (isChecked) await GapFixture.Verify(service);
            before = service.Find(batch.StatementId)!;
        }

        Assert.Equal(before.ExecutedAt + 7_000_000_000, before.DurableAt); // after the sync, not before it
        fixture.Clock.StepSeconds(60);
        using var again = fixture.Open();
        Assert.Equal(Times(before), Times(again.Find(batch.StatementId)!));
    }

    [Fact]
    public async Task Times_KilledBeforeTheyWereWrittenDown_AreThoseOfTheStatementsOwnRecord()
    {
        using var fixture = new GapFixture();
        var service = fixture.Open();
        fixture.Disk.Close();
        var batch = fixture.Batch();
        Assert.True(service.TryAccept(batch));
        fixture.Clock.StepSeconds(7);
        fixture.Disk.Open();
        await service.WaitAsync(batch.StatementId, ReceiptStage.Durable, CancellationToken.None);
        var segment = "/data/outbox/" + fixture.Simulated.List("/data/outbox").Single(name => name.EndsWith(".seg", StringComparison.Ordinal));
        var killed = fixture.Simulated.Snapshot(segment);
        service.Dispose();
        Assert.NotEqual(killed, fixture.Simulated.Snapshot(segment)); // a stop writes them down, a kill does not
        fixture.Simulated.Overwrite(segment, killed);

        using var again = fixture.Open();
        var status = again.Find(batch.StatementId)!;
        Assert.Equal(ReceiptStage.Durable, status.Stage);
        Assert.Equal(status.ExecutedAt, status.DurableAt);
        await GapFixture.Verify(again); // from here on that is what stays
        again.Dispose();
        using var third = fixture.Open();
        Assert.Equal(status.DurableAt, third.Find(batch.StatementId)!.DurableAt);
    }

    [Fact]
    public async Task Journal_OfTheReleaseBefore_IsReadWithItsTimes()
    {
        using var fixture = new GapFixture();
        var batch = fixture.Batch();
        using (var service = fixture.Open()) Assert.True(service.TryAccept(batch));
        // Record type 2 as it has been since the first release: u64 time ‖ u32 count ‖ statement ids.
        var verified = new byte[8 + 4 + Hash256.Size];
        BinaryPrimitives.WriteUInt64BigEndian(verified, 77_000);
        BinaryPrimitives.WriteUInt32BigEndian(verified.AsSpan(8), 1);
        batch.StatementId.Bytes.CopyTo(verified.AsSpan(12));
        using (var outbox = SegmentOutbox.Open(fixture.Disk, "/data/outbox", fixture.Options.Outbox, new RecordingSink()))
            Assert.True((await outbox.AppendAsync(2, verified)).IsDurable);

        using var again = fixture.Open();
        Assert.Equal((ReceiptStage.Verified, 77_000ul), (again.Find(batch.StatementId)!.Stage, again.Find(batch.StatementId)!.VerifiedAt));
    }

    [AnvilFact]
    public async Task Times_OfAFinalReceipt_AreTheSameAfterARestart()
    {
        using var folder = new TemporaryFolder();
        var clock = new SteppedClock();
        using var engine = new Doubles.Engine(anvil, nameof(Times_OfAFinalReceipt_AreTheSameAfterARestart), new LinuxDisk(), folder.Path) { Clock = clock }.Start();
        var batch = await engine.Accept();
        for (var round = 0; engine.Service.Find(batch.StatementId)!.Stage != ReceiptStage.Final; round++)
        {
            Assert.True(round < 80);
            clock.StepSeconds(1);
            await engine.Tick();
            await anvil.Mine();
        }

        var before = engine.Service.Find(batch.StatementId)!;
        Assert.True(before.ExecutedAt < before.VerifiedAt && before.VerifiedAt < before.AnchoredAt && before.AnchoredAt < before.FinalAt);
        engine.Stop();
        clock.StepSeconds(100);
        engine.Start(newEpoch: true);
        Assert.Equal(Times(before), Times(engine.Service.Find(batch.StatementId)!));
    }

    private static ulong?[] Times(StatementStatus status) =>
        [status.ExecutedAt, status.DurableAt, status.VerifiedAt, status.AnchoredAt, status.FinalAt, status.QuarantinedAt];
}
