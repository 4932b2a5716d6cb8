using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Commitments;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Replay;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Sampling;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Replay;

public sealed class GenerationReplayerTests
{
    private static readonly GenerationRequest Request = FakeModel.Request(
        [.. Enumerable.Range(0, 40)], 60, new SamplingParameters { Seed = 3, TopP = 0.9f, RepetitionPenalty = 1.1f, FrequencyPenalty = 0.1f }) with { IsStreamed = true };

    private readonly ReferenceSealer _sealer = new();

    public static TheoryData<bool> Both => [true, false];

    [Theory, MemberData(nameof(Both))]
    public async Task Replay_EveryHead_IsReproduced(bool isChunked)
    {
        var info = isChunked ? FakeRuntime.Chunked : FakeRuntime.Small;
        var result = await Answer(info);
        Assert.Equal(5, result.Heads.Count);
        for (var i = 0; i < result.Heads.Count; i++)
        {
            var runtime = new FakeRuntime(info);
            var verdict = GenerationReplayer.Replay(runtime, Claim(result, i));
            Assert.True(verdict.Outcome == GenerationReplayOutcome.Reproduced, verdict.Detail);
            Assert.Equal(result.Heads[i].Tokens, verdict.Reproduced);
            Assert.Equal(40 + result.Heads[i].Tokens - 1, verdict.ComputedTokens);
            Assert.Equal(runtime.Steps, verdict.Calls);
        }
    }

    /// <summary>One pass where prefill equals decode: a prompt of 40 and 60 tokens after it in two calls, not in sixty.</summary>
    [Fact]
    public async Task Replay_PrefillThatEqualsDecode_IsOnePass()
    {
        var result = await Answer(FakeRuntime.Small);
        Assert.Equal(2, GenerationReplayer.Replay(new FakeRuntime(), Claim(result)).Calls);
        var chunked = await Answer(FakeRuntime.Chunked);
        Assert.Equal(3 + 59, GenerationReplayer.Replay(new FakeRuntime(FakeRuntime.Chunked), Claim(chunked)).Calls);
    }

    [Fact]
    public async Task Replay_BesideAnswers_IsReproduced()
    {
        var result = await Answer(FakeRuntime.Small);
        var runtime = new FakeRuntime();
        await using var model = FakeModel.Serve(runtime, new LanguageModelOptions { PrefillTokensPerStep = 16 });
        var others = Enumerable.Range(0, 8).Select(i => model.Started(FakeModel.Request([i], 50))).ToArray();
        var verdicts = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => GenerationReplayer.ReplayAsync(model, Claim(result), default))).WaitAsync(FakeModel.Patience);
        Assert.All(verdicts, verdict => Assert.Equal(GenerationReplayOutcome.Reproduced, verdict.Outcome));
        foreach (var other in others) Assert.Equal(50, (await other.Completion.WaitAsync(FakeModel.Patience)).Tokens.Count);
        Assert.Equal(3, model.Statistics.Replays);
        Assert.Equal(0, model.Statistics.PagesHeld);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Replay_OtherLogits_NamesTheFirstToken(bool isElsewhere)
    {
        var result = await Answer(FakeRuntime.Small);
        var info = FakeRuntime.Small;
        if (isElsewhere) info = info with { Runtime = info.Runtime with { Device = "other" } };
        var other = new FakeRuntime(info) { Shape = (row, tokens) => { if (tokens.Length == 40 + 17) row.Span.Reverse(); } };
        var verdict = GenerationReplayer.Replay(other, Claim(result));
        Assert.Equal(isElsewhere ? GenerationReplayOutcome.NotReproducibleHere : GenerationReplayOutcome.TokenDiffers, verdict.Outcome);
        Assert.Equal((17, 17, result.Tokens[17]), (verdict.FirstDifference, verdict.Reproduced, verdict.Claimed));
        Assert.NotEqual(verdict.Claimed, verdict.Found);
        Assert.Contains("token 17", verdict.Detail);
    }

    /// <summary>Another machine that gives the same tokens has reproduced them, and says where.</summary>
    [Fact]
    public async Task Replay_OtherFingerprintAndSameTokens_IsReproduced()
    {
        var result = await Answer(FakeRuntime.Small);
        var info = FakeRuntime.Small with { Runtime = FakeRuntime.Small.Runtime with { Device = "other" } };
        var verdict = GenerationReplayer.Replay(new FakeRuntime(info), Claim(result));
        Assert.Equal(GenerationReplayOutcome.Reproduced, verdict.Outcome);
        Assert.Contains("another runtime", verdict.Detail);
        Assert.NotEqual(verdict.Stated, verdict.Here);
    }

    [Fact]
    public async Task Replay_ClaimThatIsNotTheReceipts_NamesWhatDiffers()
    {
        var result = await Answer(FakeRuntime.Small);
        var claim = Claim(result);
        int[] otherAnswer = [.. result.Tokens];
        otherAnswer[5] ^= 1;
        Is(GenerationReplayOutcome.WrongPrompt, claim with { Prompt = Request.Prompt[..39] });
        Is(GenerationReplayOutcome.WrongAnswer, claim with { Answer = otherAnswer });
        Is(GenerationReplayOutcome.WrongAnswer, claim with { Finish = FinishReason.EndOfSequence });
        Is(GenerationReplayOutcome.WrongAnswer, claim with { Previous = default });
        Is(GenerationReplayOutcome.WrongParameters, claim with { Parameters = claim.Parameters with { Seed = 4 } });
        Is(GenerationReplayOutcome.WrongParameters, claim with { Parameters = claim.Parameters with { Sampling = claim.Parameters.Sampling with { TopP = 0.8f } } });
        Is(GenerationReplayOutcome.ReceiptInvalid, claim with { Receipt = claim.Receipt with { Statement = new byte[3] } });
        Is(GenerationReplayOutcome.ReceiptInvalid, claim with { Receipt = claim.Receipt with { Path = [default] } });
        Is(GenerationReplayOutcome.ReceiptInvalid, claim with { Receipt = claim.Receipt with { Leaf = new byte[4] } });
        var other = new FakeRuntime(FakeRuntime.Small with { Identity = Hash256.Sha256("another"u8) });
        Assert.Equal(GenerationReplayOutcome.WrongModel, GenerationReplayer.Replay(other, claim).Outcome);
        Assert.Equal(0, other.Steps);
    }

    /// <summary>Heads that a host signed and that its own model contradicts.</summary>
    [Fact]
    public async Task Replay_FinishThatDoesNotFit_IsNamed()
    {
        var result = await Answer(FakeRuntime.Small);
        int[] answer = [.. result.Tokens];
        Is(GenerationReplayOutcome.FinishDiffers, Signed(answer, FinishReason.EndOfSequence, result.Parameters!));
        Is(GenerationReplayOutcome.FinishDiffers, Signed(answer[..30], FinishReason.Length, result.Parameters!));
        Is(GenerationReplayOutcome.FinishDiffers, Signed(answer[..30], FinishReason.StopText, result.Parameters!));
        Is(GenerationReplayOutcome.FinishDiffers, Signed(answer[..30], FinishReason.Constraint, result.Parameters!));
        Is(GenerationReplayOutcome.FinishDiffers, Signed(answer, FinishReason.Length, result.Parameters! with { IgnoreEndOfSequence = false, EndTokens = [answer[20]] }));
        Is(GenerationReplayOutcome.Reproduced, Signed(answer[..30], FinishReason.Cancelled, result.Parameters!));
        Is(GenerationReplayOutcome.ReceiptInvalid, Signed([.. answer, 1], FinishReason.Length, result.Parameters!));
        Is(GenerationReplayOutcome.ReceiptInvalid, Signed([61], FinishReason.None, result.Parameters!));
        Is(GenerationReplayOutcome.ReceiptInvalid, Signed([], FinishReason.None, result.Parameters!));
        Is(GenerationReplayOutcome.ReceiptInvalid, Signed([1], (FinishReason)9, result.Parameters!));
        Is(GenerationReplayOutcome.ReceiptInvalid, Signed([1], FinishReason.None, result.Parameters! with { Sampling = new SamplingParameters { TopP = float.NaN } }));
    }

    [Fact]
    public async Task Replay_RuntimeThatFails_IsAVerdict()
    {
        var claim = Claim(await Answer(FakeRuntime.Small));
        var broken = new FakeRuntime { Stepping = (_, _) => throw new TokenRuntimeException("no memory") };
        Assert.Equal(GenerationReplayOutcome.RuntimeFailed, GenerationReplayer.Replay(broken, claim).Outcome);
        await using var model = FakeModel.Serve(broken);
        var verdict = await GenerationReplayer.ReplayAsync(model, claim, default).WaitAsync(FakeModel.Patience);
        Assert.Equal(GenerationReplayOutcome.RuntimeFailed, verdict.Outcome);
        Assert.Contains("no memory", verdict.Detail);
    }

    private static void Is(GenerationReplayOutcome outcome, GenerationClaim claim)
    {
        var verdict = GenerationReplayer.Replay(new FakeRuntime(), claim);
        Assert.True(outcome == verdict.Outcome, $"{outcome} expected, {verdict.Outcome}: {verdict.Detail}");
        Assert.NotEmpty(verdict.Detail);
    }

    private async Task<GenerationResult> Answer(TokenModelInfo info)
    {
        var options = new LanguageModelOptions { Commitments = new CommitmentOptions { EveryTokens = 13, Every = TimeSpan.FromHours(1) } };
        await using var model = FakeModel.Serve(new FakeRuntime(info), options, new LanguageModelServices { Sealer = _sealer });
        return await model.Answer(Request);
    }

    private static GenerationClaim Claim(GenerationResult result, int? head = null)
    {
        var index = head ?? result.Heads.Count - 1;
        return new GenerationClaim
        {
            Receipt = result.Heads[index].Receipt,
            Prompt = Request.Prompt,
            Answer = result.Tokens.Take(result.Heads[index].Tokens).ToArray(),
            Parameters = GenerationParameters.Decode(result.Parameters!.Encode()),
            Finish = result.Heads[index].Finish,
            Previous = index == 0 ? default : result.Heads[index - 1].Receipt.LeafHash,
        };
    }

    private GenerationClaim Signed(int[] answer, FinishReason finish, GenerationParameters parameters)
    {
        var leaf = new RowLeaf(new byte[RowLeaf.SaltSize], GenerationRow.RequestDigest(Request.Prompt.Span), GenerationRow.OutputDigest(finish, default, answer), parameters.Digest(), 0, 1);
        var batch = _sealer.Seal(GenerationRow.Context("fake", "1", FakeRuntime.Small), [leaf], 1);
        return new GenerationClaim { Receipt = batch.Receipt(0), Prompt = Request.Prompt, Answer = answer, Parameters = parameters, Finish = finish };
    }
}
