using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Verification.Audit;
using OpenGradient.Engine.Verification.Replay;
using OpenGradient.Engine.Verification.Tests.Replay;

namespace OpenGradient.Engine.Verification.Tests.Audit;

/// <summary>A real engine with the tap on, and the auditor over the same model's file.</summary>
public sealed class RowAuditorTests(Installation installation) : IClassFixture<Installation>
{
    private static readonly RetentionLimits Limits = new(64 << 20, TimeSpan.FromHours(1));

    [Fact]
    public async Task Audit_HonestRowsOfManyModels_AreReproduced()
    {
        using var retention = new MemoryRetention(Limits, TimeProvider.System);
        using var auditor = new RowAuditor(TestModel.Backend, TimeSpan.FromMinutes(1), TimeProvider.System);
        foreach (var model in TestModel.All.Where(model => model.Class is DeterminismClass.A or DeterminismClass.B && model is { Threads: 1, IsCostly: false }))
        {
            var rows = await Answer(model, retention, 4);
            foreach (var row in rows) Assert.Equal(new AuditFinding(AuditOutcome.Reproduced, AuditReason.None, ""), auditor.Audit(Find(retention, row), model.Path));
        }
    }

    [Fact]
    public async Task Tap_ModelWhoseRowsNobodyPromised_IsNotShown()
    {
        using var retention = new MemoryRetention(Limits, TimeProvider.System);
        var rows = await Answer(new TestModel("dynq", DeterminismClass.C), retention, 1);
        Assert.Null(retention.Find(rows[0].StatementId, rows[0].Row));
        await Answer(new TestModel("digits", DeterminismClass.U), retention, 1);
        Assert.Equal(0, retention.Report.Rows);
        Assert.Equal(AuditReason.ContentDependent, RowAuditor.Unpromised(DeterminismClass.C)!.Reason);
        Assert.Equal(AuditReason.NotProbed, RowAuditor.Unpromised(DeterminismClass.U)!.Reason);
    }

    [Fact]
    public async Task Audit_OneBitOfOneAnswerFlippedBeforeSealing_IsDisputedWithTheElement()
    {
        using var retention = new MemoryRetention(Limits, TimeProvider.System);
        using var auditor = new RowAuditor(TestModel.Backend, TimeSpan.FromMinutes(1), TimeProvider.System);
        var liar = new LyingBackend(TestModel.Backend) { LieFrom = 2 };
        var rows = await Answer(TestModel.Digits, retention, 4, liar);
        Assert.Equal([AuditOutcome.Reproduced, AuditOutcome.Disputed, AuditOutcome.Disputed, AuditOutcome.Disputed], rows.Select(row => auditor.Audit(Find(retention, row), TestModel.Digits.Path).Outcome));
        Assert.Equal(3, liar.Lies);

        var kept = Find(retention, rows[1]);
        var finding = auditor.Audit(kept, TestModel.Digits.Path);
        Assert.NotNull(finding.Replay!.First);
        var fraud = Bundle(kept, finding);
        Assert.Empty(FraudCheck.Contradictions(fraud));
        Assert.Equal(fraud.Encode(), FraudBundle.Decode(fraud.Encode()).Encode());
        var (first, deviations) = FraudCheck.Differences(fraud);
        Assert.Equal(finding.Replay.First!.Index, first!.Index);
        Assert.Equal(1, Assert.Single(deviations).Different);

        // Somebody else, with the file and the model alone.
        using var replayer = new ReceiptReplayer(TestModel.Backend);
        var read = FraudBundle.Decode(fraud.Encode());
        Assert.Equal(ReplayOutcome.Differs, replayer.Replay(new ReplayItem(read.Receipt.Receipt, FraudCheck.InputOf(read), FraudCheck.AnswerOf(read)), TestModel.Digits.Path).Outcome);
    }

    [Fact]
    public async Task Fraud_AnythingChangedInIt_DoesNotStand()
    {
        using var retention = new MemoryRetention(Limits, TimeProvider.System);
        using var auditor = new RowAuditor(TestModel.Backend, TimeSpan.FromMinutes(1), TimeProvider.System);
        var rows = await Answer(TestModel.Digits, retention, 2, new LyingBackend(TestModel.Backend) { LieFrom = 1 });
        var kept = Find(retention, rows[0]);
        var fraud = Bundle(kept, auditor.Audit(kept, TestModel.Digits.Path));
        Assert.Empty(FraudCheck.Contradictions(fraud));

        var other = Find(retention, rows[1]);
        Assert.Contains("the input is not", Single(fraud with { Input = other.Input }));
        Assert.Contains("the claimed output is not", Single(fraud with { ClaimedOutput = fraud.OwnOutput }));
        Assert.Contains("nothing differs", Single(fraud with { OwnOutput = fraud.ClaimedOutput!.Value }));
        Assert.Contains("the auditor's runtime is another", Single(fraud with { OwnContext = fraud.OwnContext with { Runtime = fraud.OwnContext.Runtime with { LibraryVersion = "0" } } }));
        Assert.Contains("another model", Single(fraud with { OwnContext = fraud.OwnContext with { ModelIdentity = default } }));
        Assert.Contains("the beacon is block", Single(fraud with { Beacon = fraud.Beacon with { BlockNumber = 1 } }));
        Assert.Contains("no proof up to its anchor", Single(fraud with { Receipt = fraud.Receipt with { Anchor = null } }));
        Assert.Contains("one in 0", Single(fraud with { OneIn = 0 }));
        // At a rate of one in four billion the draw picks nothing.
        Assert.Contains("the draw did not pick", Single(fraud with { OneIn = uint.MaxValue }));
    }

    [Fact]
    public async Task Audit_WhatCannotBeJudged_IsNamed()
    {
        using var retention = new MemoryRetention(Limits, TimeProvider.System);
        using var auditor = new RowAuditor(TestModel.Backend, TimeSpan.FromMinutes(1), TimeProvider.System);
        var kept = Find(retention, (await Answer(TestModel.Digits, retention, 1))[0]);
        Assert.Equal(AuditReason.ModelMissing, auditor.Audit(kept, null).Reason);
        Assert.Equal(AuditReason.ModelMissing, auditor.Audit(kept, TestModel.File("add")).Reason);
        Assert.Equal(AuditReason.ModelMissing, auditor.Audit(kept, TestModel.File("not there")).Reason);
        Assert.Equal(AuditReason.InputMismatch, auditor.Audit(kept with { Input = kept.Output }, TestModel.Digits.Path).Reason);
        Assert.Equal(AuditReason.InputMismatch, auditor.Audit(kept with { Input = default }, TestModel.Digits.Path).Reason);
        // The answer beside it is not judged: the receipt is.
        Assert.Equal(AuditOutcome.Reproduced, auditor.Audit(kept with { Output = default }, TestModel.Digits.Path).Outcome);
    }

    [Fact]
    public async Task Audit_AfterClose_OpensTheModelAgain()
    {
        using var retention = new MemoryRetention(Limits, TimeProvider.System);
        using var auditor = new RowAuditor(TestModel.Backend, TimeSpan.FromMinutes(1), TimeProvider.System);
        var kept = Find(retention, (await Answer(TestModel.Digits, retention, 1))[0]);
        Assert.Equal(AuditOutcome.Reproduced, auditor.Audit(kept, TestModel.Digits.Path).Outcome);
        auditor.Close();
        Assert.Equal(AuditOutcome.Reproduced, auditor.Audit(kept, TestModel.Digits.Path).Outcome);
    }

    [Fact]
    public void Judge_ClassStatedWronglyButRightInPlace_IsNoDispute()
    {
        var differs = new ReplayResult { Outcome = ReplayOutcome.Differs, Detail = "other bits" };
        Assert.Equal(AuditOutcome.Disputed, RowAuditor.Judge(differs).Outcome);
        Assert.Equal(AuditOutcome.Disputed, RowAuditor.Judge(differs with { EqualInPlace = false }).Outcome);
        var inPlace = RowAuditor.Judge(differs with { EqualInPlace = true });
        Assert.Equal(AuditOutcome.Reproduced, inPlace.Outcome);
        Assert.Contains("class A was stated wrongly", inPlace.Detail);
        Assert.Equal(AuditReason.OtherRuntime, RowAuditor.Judge(differs with { Outcome = ReplayOutcome.NotReproducibleHere }).Reason);
    }

    private static string Single(FraudBundle bundle) => string.Join("; ", FraudCheck.Contradictions(bundle));

    private static RetainedRow Find(MemoryRetention retention, (Hash256 StatementId, uint Row) row) => retention.Find(row.StatementId, row.Row)!;

    private async Task<List<(Hash256 StatementId, uint Row)>> Answer(TestModel model, IExecutionTap tap, int requests, IModelBackend? backend = null)
    {
        await using var engine = new InferenceEngine(new InferenceEngineOptions { Backend = backend ?? TestModel.Backend, Sealer = installation.First, Tap = tap });
        var info = await engine.LoadModelAsync(model.Options with { RecheckOneIn = 0 });
        if (backend is LyingBackend liar) liar.Begin();
        var rows = new List<(Hash256, uint)>();
        for (var i = 0; i < requests; i++)
        {
            var request = new InferenceRequest(model.Name);
            foreach (var input in TestModel.Inputs(info, i)) request.Add(input.Name, input.Type, input.Shape.Span, input.Data);
            using var result = await engine.InferAsync(request);
            rows.Add((result.Batch!.StatementId, (uint)result.RowIndex));
        }

        return rows;
    }

    // As if the log held this statement alone.
    private FraudBundle Bundle(RetainedRow kept, AuditFinding finding)
    {
        var root = kept.Receipt.StatementId;
        var receipt = new ReceiptBundle
        {
            Receipt = kept.Receipt, Evidence = installation.EvidenceOf(installation.First), Inclusion = new InclusionProof(0, 1, []),
            Checkpoint = installation.Checkpoint(installation.First) with { Size = 1, Root = root }, Anchor = new AnchorClaim(default, 9, default, 0),
        };
        return FraudCheck.BundleOf(kept, finding, receipt, new AuditBeacon(9 + AuditDraw.BeaconDistance, Hash256.Sha256("beacon"u8)), 1, 42);
    }
}
