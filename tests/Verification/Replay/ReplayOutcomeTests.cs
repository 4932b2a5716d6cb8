using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;
using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Verification.Tests.Replay;

/// <summary>Each outcome, and that nothing but equal bits is called reproduced.</summary>
public sealed class ReplayOutcomeTests(Installation installation) : IClassFixture<Installation>, IDisposable
{
    private readonly ReceiptReplayer _replayer = new(TestModel.Backend);

    private static readonly RuntimeFingerprint OtherProcessor =
        new("onnxruntime", "9.9.9", Hash256.Sha256("another library"u8), "cpu", "x86-64+avx2", "model", "graph=all;intra=4");

    public void Dispose() => _replayer.Dispose();

    [Fact]
    public async Task Replay_AnswerAsItWas_IsReproducedWithNothingToReport()
    {
        var (row, _) = await Answered(TestModel.Digits);
        var result = Replay(row.Receipt, row.Inputs, row.Answer);
        Assert.Equal(ReplayOutcome.Reproduced, result.Outcome);
        Assert.Equal((result.Committed, true, true), (result.Executed, result.AnswerIsCommitted, result.WithinTolerance));
        Assert.Empty(result.Fingerprint);
        Assert.Empty(result.Deviations);
        Assert.Equal(new ReplayShape(1, 1, 0, Alone: true), result.Shape);
    }

    [Fact]
    public async Task Replay_AnotherModelFile_IsWrongModelAndIsNotOpened()
    {
        var (row, _) = await Answered(TestModel.Digits);
        var text = Path.GetTempFileName();
        try
        {
            File.WriteAllText(text, "this is no model");
            foreach (var path in (string[])[TestModel.File("identity"), text])
            {
                var result = Replay(row.Receipt, row.Inputs, path: path);
                Assert.Equal((ReplayOutcome.WrongModel, (ReplayShape?)null), (result.Outcome, result.Shape));
                Assert.Contains("'digits'", result.Detail);
            }
        }
        finally
        {
            File.Delete(text);
        }
    }

    [Fact]
    public async Task Replay_AnyInputByteFlipped_IsWrongInput()
    {
        var (row, _) = await Answered(TestModel.Digits);
        for (var i = 0; i < row.Inputs[0].Data.Length; i++)
        {
            var result = Replay(row.Receipt, [Flipped(row.Inputs[0], i, i % 8)]);
            Assert.Equal((ReplayOutcome.WrongInput, (Hash256?)null), (result.Outcome, result.Executed));
        }
    }

    [Fact]
    public async Task Replay_InputOfOtherShapeTypeOrName_IsWrongInput()
    {
        var (row, _) = await Answered(TestModel.Digits);
        var pixels = row.Inputs[0];
        foreach (var inputs in (NamedTensor[][])[[], [pixels, pixels], [pixels with { Name = "x" }], [pixels with { Type = ElementType.Int32 }], [pixels with { Shape = new long[] { 64, 1 } }], [pixels with { Shape = new long[] { -1, 64 } }]])
            Assert.Equal(ReplayOutcome.WrongInput, Replay(row.Receipt, inputs).Outcome);
    }

    [Fact]
    public async Task Replay_SavedAnswerWithAnyBitFlipped_NamesTheElement()
    {
        var (row, model) = await Answered(TestModel.Digits);
        var logits = row.Answer.Tensors[0];
        for (var bit = 0; bit < 32; bit++)
        {
            var element = bit % 10;
            var answer = new KnownAnswer([Flipped(logits, (element * 4) + (bit / 8), bit % 8), row.Answer.Tensors[1]]);
            var result = Replay(row.Receipt, row.Inputs, answer);
            Assert.Equal(ReplayOutcome.WrongOutput, result.Outcome);
            Assert.Equal((result.Committed, false, (bool?)null), (result.Executed, result.AnswerIsCommitted, result.WithinTolerance));
            Assert.Equal(("logits", $"0,{element}"), (result.First!.Tensor, string.Join(',', result.First.Index)));
            var bits = Convert.ToUInt32(result.First.GivenBits, 16) ^ Convert.ToUInt32(result.First.HereBits, 16);
            Assert.Equal(1u << bit, bits);
            Assert.Equal(("logits", 1L, 10L), (result.Deviations.Single().Tensor, result.Deviations[0].Different, result.Deviations[0].Elements));
        }

        Assert.Equal("digits", model.Name);
    }

    [Fact]
    public async Task Replay_SealedOutputWithOneBitFlipped_Differs()
    {
        var (row, model) = await Answered(TestModel.Digits);
        NamedTensor[] forged = [Flipped(row.Answer.Tensors[0], 3 * 4, 0), row.Answer.Tensors[1]];
        var receipt = Sealing.Claim(installation.First, model.Context, 1, [new ClaimedRow(row.Inputs, forged, 0, 1)]);

        var blind = Replay(receipt, row.Inputs);
        Assert.Equal((ReplayOutcome.Differs, (ElementDifference?)null), (blind.Outcome, blind.First));
        Assert.NotEqual(blind.Committed, blind.Executed);

        var result = Replay(receipt, row.Inputs, new KnownAnswer(forged));
        Assert.Equal((ReplayOutcome.Differs, true, true), (result.Outcome, result.AnswerIsCommitted, result.WithinTolerance));
        Assert.Equal("logits[0,3]", $"{result.First!.Tensor}[{string.Join(',', result.First.Index)}]");
        Assert.Contains("logits[0,3]", result.Detail);
    }

    [Fact]
    public async Task Replay_ForgedFingerprint_ExplainsOtherBitsAndIsNeverAPass()
    {
        var (row, model) = await Answered(TestModel.Digits);
        var context = model.Context with { Runtime = OtherProcessor };
        NamedTensor[] close = [Flipped(row.Answer.Tensors[0], 0, 0), row.Answer.Tensors[1]], far = [Flipped(row.Answer.Tensors[0], 3, 6), row.Answer.Tensors[1]];
        foreach (var (outputs, within) in ((NamedTensor[], bool)[])[(close, true), (far, false)])
        {
            var receipt = Sealing.Claim(installation.First, context, 1, [new ClaimedRow(row.Inputs, outputs, 0, 1)]);
            var blind = Replay(receipt, row.Inputs);
            Assert.Equal((ReplayOutcome.NotReproducibleHere, (bool?)null), (blind.Outcome, blind.WithinTolerance));
            Assert.Superset(
                new HashSet<string> { "library version", "library digest", "device", "option prepacking" },
                blind.Fingerprint.Select(difference => difference.Field).ToHashSet());
            // Threads are no difference: the model was opened with as many as stated.
            Assert.DoesNotContain("option intra", blind.Fingerprint.Select(difference => difference.Field));
            Assert.Contains("library version 9.9.9, here", blind.Detail);
            Assert.Equal(within, Replay(receipt, row.Inputs, new KnownAnswer(outputs)).WithinTolerance);
            // An answer that the receipt does not commit to proves nothing about it, however close.
            Assert.Null(Replay(receipt, row.Inputs, row.Answer).WithinTolerance);
        }

        // Equal bits are equal bits, whatever was said about how they came to be; it is said what differs.
        var equal = Replay(Sealing.Claim(installation.First, context, 1, [new ClaimedRow(row.Inputs, [.. row.Answer.Tensors], 0, 1)]), row.Inputs);
        Assert.Equal(ReplayOutcome.Reproduced, equal.Outcome);
        Assert.NotEmpty(equal.Fingerprint);
    }

    [Fact]
    public async Task Replay_ToleranceOfTheCaller_IsTaken()
    {
        var (row, model) = await Answered(TestModel.Digits);
        NamedTensor[] close = [Flipped(row.Answer.Tensors[0], 0, 0), row.Answer.Tensors[1]];
        var receipt = Sealing.Claim(installation.First, model.Context with { Runtime = OtherProcessor }, 1, [new ClaimedRow(row.Inputs, close, 0, 1)]);
        Assert.False(_replayer.Replay(new ReplayItem(receipt, row.Inputs, new KnownAnswer(close)), TestModel.Digits.Path, tolerance: 0).WithinTolerance);
    }

    [Fact]
    public async Task Replay_ClassAStatedForAModelThatIsNone_SaysThatTheClassIsWrong()
    {
        // The honest bits of a row in a batch of two, which alone has others.
        var shape = new TestModel("shape", DeterminismClass.B);
        var (row, model) = await Answered(shape, batch: 2);
        var receipt = Sealing.Claim(
            installation.First, model.Context with { Determinism = DeterminismClass.A }, 2, [new ClaimedRow(row.Inputs, [.. row.Answer.Tensors], (uint)row.FirstSlot, 1)]);
        var result = Replay(receipt, row.Inputs, path: shape.Path);
        Assert.Equal((ReplayOutcome.Differs, true), (result.Outcome, result.EqualInPlace));
        Assert.Contains("class A was stated wrongly", result.Detail);
    }

    [Theory]
    [InlineData(DeterminismClass.C, UnreplayableReason.SharedBatch)]
    [InlineData(DeterminismClass.U, UnreplayableReason.NotProbed)]
    public async Task Replay_RowWhoseBitsNobodyPromised_IsTriedAndSaysSo(DeterminismClass stated, UnreplayableReason expected)
    {
        // Two requests share a call of a model whose answers depend on neighbours: under class B, which is a lie here.
        var dynq = new TestModel("dynq", DeterminismClass.B);
        await using var engine = Replays.Engine(installation);
        var model = await engine.LoadModelAsync(dynq.Options with { MaxBatch = 2, Workers = 1, MaxQueueDelay = TimeSpan.FromMinutes(1) });
        var rows = await Task.WhenAll(Enumerable.Range(0, 2).Select(i => AnsweredRow.From(engine, "dynq", TestModel.Inputs(model, i))));
        Assert.All(rows, row => Assert.Equal(2, row.BatchRows));
        Assert.Contains(rows, row => Replay(row.Receipt, row.Inputs, path: dynq.Path).Outcome == ReplayOutcome.Differs);

        ClaimedRow[] claims = [.. rows.Select(row => new ClaimedRow(row.Inputs, [.. row.Answer.Tensors], (uint)row.FirstSlot, 1))];
        var results = rows.Select((row, i) => Replay(Sealing.Claim(installation.First, model.Context with { Determinism = stated }, 2, claims, i), row.Inputs, path: dynq.Path)).ToArray();
        Assert.Contains(results, result => result.Outcome == ReplayOutcome.Unreplayable);
        Assert.All(results.Where(result => result.Outcome == ReplayOutcome.Unreplayable), result => Assert.Equal(expected, result.Reason));
        Assert.All(results, result => Assert.Contains("nobody promised", result.Detail));
        Assert.All(results, result => Assert.NotNull(result.Executed));
    }

    [Fact]
    public async Task Replay_RequestWithParameters_IsUnreplayable()
    {
        var (row, model) = await Answered(TestModel.Digits);
        var receipt = Sealing.Claim(installation.First, model.Context, 1, [new ClaimedRow(row.Inputs, [.. row.Answer.Tensors], 0, 1, Hash256.Sha256("temperature"u8))]);
        var result = Replay(receipt, row.Inputs);
        Assert.Equal((ReplayOutcome.Unreplayable, UnreplayableReason.UnknownParameters), (result.Outcome, result.Reason));
    }

    [Fact]
    public async Task Replay_BatchOfBillions_IsRefusedBeforeAnythingIsReserved()
    {
        var (row, model) = await Answered(TestModel.Digits);
        var receipt = Sealing.Claim(
            installation.First, model.Context with { Determinism = DeterminismClass.B }, uint.MaxValue, [new ClaimedRow(row.Inputs, [.. row.Answer.Tensors], uint.MaxValue - 1, 1)]);
        var result = Replay(receipt, row.Inputs);
        Assert.Equal((ReplayOutcome.Unreplayable, UnreplayableReason.TooLarge), (result.Outcome, result.Reason));
    }

    [Fact]
    public async Task Replay_InputThatTheModelDoesNotTake_IsUnreplayable()
    {
        var (row, model) = await Answered(TestModel.Digits);
        NamedTensor[] inputs = [NamedTensor.Of<float>("pixels", [1, 32], new float[32])];
        foreach (var claimed in (ClaimedRow[])[new(inputs, [.. row.Answer.Tensors], 0, 1), new([inputs[0] with { Name = "other" }], [.. row.Answer.Tensors], 0, 1), new(row.Inputs, [.. row.Answer.Tensors], 0, 2)])
        {
            var result = Replay(Sealing.Claim(installation.First, model.Context, 2, [claimed]), claimed.Inputs);
            Assert.Equal((ReplayOutcome.Unreplayable, UnreplayableReason.InputDoesNotFit), (result.Outcome, result.Reason));
        }
    }

    [Fact]
    public async Task Replay_ReceiptThatContradictsItself_IsInvalid()
    {
        var (row, _) = await Answered(TestModel.Digits);
        var leaf = row.Receipt.Leaf.ToArray();
        leaf[50] ^= 1; // the output digest
        foreach (var (receipt, reason) in ((Receipt, VerificationReason)[])
            [
                (row.Receipt with { Leaf = leaf }, VerificationReason.RowNotInBatch),
                (row.Receipt with { Row = 9 }, VerificationReason.RowNotInBatch),
                (row.Receipt with { Leaf = leaf.AsMemory(1) }, VerificationReason.ReceiptMalformed),
                (row.Receipt with { Statement = row.Receipt.Statement[..^1] }, VerificationReason.StatementMalformed),
            ])
        {
            var result = Replay(receipt, row.Inputs);
            Assert.Equal(ReplayOutcome.ReceiptInvalid, result.Outcome);
            Assert.Contains(reason, result.Failures.Select(failure => failure.Reason));
        }
    }

    [Fact]
    public async Task Replay_AnswerWithoutSomeOutputsOrNonFiniteElements_IsStillTiedToTheReceipt()
    {
        var (digits, _) = await Answered(TestModel.Digits);
        Assert.True(Replay(digits.Receipt, digits.Inputs, new KnownAnswer([digits.Answer.Tensors[1]])).AnswerIsCommitted);

        // JSON carries no NaN: the element is a gap, which only something non-finite may fill.
        var (nan, _) = await Answered(new TestModel("nan", DeterminismClass.A));
        var saved = nan.Answer.Tensors[0];
        var gaps = Enumerable.Range(0, 4).Where(i => !float.IsFinite(BitConverter.ToSingle(saved.Data.Span[(i * 4)..]))).ToHashSet();
        Assert.NotEmpty(gaps);
        var data = saved.Data.ToArray();
        foreach (var gap in gaps) data.AsSpan(gap * 4, 4).Clear();
        var holes = new KnownAnswer([saved with { Data = data }], new Dictionary<string, IReadOnlySet<int>> { ["y"] = gaps });
        Assert.Equal(ReplayOutcome.Reproduced, Replay(nan.Receipt, nan.Inputs, holes, TestModel.File("nan")).Outcome);
        Assert.Equal(ReplayOutcome.WrongOutput, Replay(nan.Receipt, nan.Inputs, new KnownAnswer([saved with { Data = data }]), TestModel.File("nan")).Outcome);
    }

    [Fact]
    public async Task Replay_AnswerOfOtherForm_SaysHowItDiffers()
    {
        var (row, _) = await Answered(TestModel.Digits);
        var logits = row.Answer.Tensors[0];
        foreach (var (tensor, says) in ((NamedTensor, string)[])
            [
                (logits with { Name = "other" }, "no output 'other'"), (logits with { Type = ElementType.Int32 }, "type Int32"), (logits with { Shape = new long[] { 10, 1 } }, "shape [10,1]"),
            ])
        {
            var result = Replay(row.Receipt, row.Inputs, new KnownAnswer([tensor]));
            Assert.Equal(ReplayOutcome.WrongOutput, result.Outcome);
            Assert.Contains(says, result.Detail);
        }
    }

    private async Task<(AnsweredRow Row, ModelInfo Model)> Answered(TestModel test, int batch = 1)
    {
        await using var engine = Replays.Engine(installation);
        var model = await engine.LoadModelAsync(test.Options with { MaxBatch = batch, Workers = 1, MaxQueueDelay = TimeSpan.FromMinutes(1) });
        var rows = await Task.WhenAll(Enumerable.Range(0, batch).Select(i => AnsweredRow.From(engine, model.Name, TestModel.Inputs(model, 20 + i))));
        return (rows[^1], model);
    }

    private ReplayResult Replay(Receipt receipt, NamedTensor[] inputs, KnownAnswer? answer = null, string? path = null) =>
        _replayer.Replay(new ReplayItem(receipt, inputs, answer), path ?? TestModel.Digits.Path);

    private static NamedTensor Flipped(NamedTensor tensor, int at, int bit)
    {
        var data = tensor.Data.ToArray();
        data[at] ^= (byte)(1 << bit);
        return tensor with { Data = data };
    }
}
