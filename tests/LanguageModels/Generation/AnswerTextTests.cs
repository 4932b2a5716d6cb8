using System.Text;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Replay;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;
using OpenGradient.Engine.LanguageModels.Tests.Tokenization;

namespace OpenGradient.Engine.LanguageModels.Tests.Generation;

/// <summary>A model whose every token is a byte, and that writes what a test wants.</summary>
public sealed class AnswerTextTests
{
    private static readonly LanguageModelOptions Options = new() { Commitments = new CommitmentOptions { EveryTokens = 1000 } };

    private readonly ReferenceSealer _sealer = new();

    [Theory]
    [InlineData("Hello there.", "Hello there.", FinishReason.Length, null)]
    [InlineData("Hello STOP there.", "Hello ", FinishReason.StopText, "STOP")]
    [InlineData("Grüße, 世界! 👋🏽 STOP", "Grüße, 世界! 👋🏽 ", FinishReason.StopText, "STOP")]
    [InlineData("SSTOSTOP", "SSTO", FinishReason.StopText, "STOP")]
    [InlineData("ends with a beginning STO", "ends with a beginning STO", FinishReason.Length, null)]
    [InlineData("one\n\ntwo", "one", FinishReason.StopText, "\n\n")]
    [InlineData("the end STOP", "the end ", FinishReason.StopText, "STOP")]
    public async Task Answer_TextOfTokens_EndsBeforeTheStopText(string written, string expected, FinishReason finish, string? stop)
    {
        var bytes = Encoding.UTF8.GetBytes(written);
        await using var model = Writes(bytes);
        var request = FakeModel.Request([1, 2], bytes.Length) with { Stop = ["STOP", "\n\n"], IsStreamed = true };
        var generation = model.Started(request);
        var parts = await generation.Parts();
        var result = await generation.Completion;
        Assert.Equal((expected, finish, stop), (result.Text, result.Finish, result.StopText));
        Assert.Equal(expected, string.Concat(parts.Select(part => part.Text)));
        Assert.Equal(result.Tokens, parts.SelectMany(part => part.Tokens));
        // Whole characters only: half of a pair in a part would be another character for whoever encodes it.
        Assert.All(parts, part => Assert.DoesNotContain('\uFFFD', part.Text));
        Assert.All(parts, part => Assert.True(part.Text.Length == 0 || !char.IsLowSurrogate(part.Text[0])));

        var head = result.Heads[^1];
        var claim = new GenerationClaim
        {
            Receipt = head.Receipt, Prompt = request.Prompt, Answer = result.Tokens.ToArray(), Parameters = result.Parameters!, Finish = result.Finish,
        };
        var verdict = await GenerationReplayer.ReplayAsync(model, claim, default);
        Assert.True(verdict.Outcome == GenerationReplayOutcome.Reproduced, verdict.Detail);
    }

    [Fact]
    public async Task Answer_CutInsideACharacter_EndsWithTheReplacement()
    {
        await using var model = Writes(Encoding.UTF8.GetBytes("a世界"));
        var result = await model.Answer(FakeModel.Request([1], 5));
        Assert.Equal("a世\uFFFD", result.Text);
    }

    [Fact]
    public async Task Answer_EndToken_IsNotInTheText()
    {
        await using var model = Writes([.. "abc"u8, FakeModel.End, .. "def"u8]);
        var result = await model.Answer(FakeModel.Request([1], 7) with { IgnoreEndOfSequence = false, Stop = ["zz"] });
        Assert.Equal(("abc", FinishReason.EndOfSequence, 4), (result.Text, result.Finish, result.Tokens.Count));
    }

    /// <summary>Tokens that no tokenizer has, because a model pads its vocabulary: they add nothing.</summary>
    [Fact]
    public async Task Answer_TokenWithoutText_AddsNone()
    {
        var runtime = new FakeRuntime(FakeRuntime.Small with { VocabularySize = 300 }) { Shape = (row, tokens) => row.Span[tokens.Length == 2 ? 299 : 'x'] = 100 };
        await using var model = FakeModel.Serve(runtime, Options, tokenizer: TokenizerFixture.Bytes());
        Assert.Equal("xx", (await model.Answer(FakeModel.Request([1], 3))).Text);
    }

    /// <summary>The head was signed for an answer that its own stop text ends before.</summary>
    [Fact]
    public async Task Replay_AnswerThatGoesOnAfterItsStopText_IsNamed()
    {
        var bytes = "abSTOPcd"u8.ToArray();
        await using var model = Writes(bytes);
        var request = FakeModel.Request([1, 2], bytes.Length);
        var result = await model.Answer(request);
        var parameters = result.Parameters! with { Stop = ["STOP"] };
        var leaf = new Formats.RowLeaf(
            new byte[16], LanguageModels.Commitments.GenerationRow.RequestDigest(request.Prompt.Span),
            LanguageModels.Commitments.GenerationRow.OutputDigest(FinishReason.Length, default, [.. result.Tokens]), parameters.Digest(), 0, 1);
        var batch = _sealer.Seal(LanguageModels.Commitments.GenerationRow.Context("fake", "1", model.Info), [leaf], 1);
        var claim = new GenerationClaim { Receipt = batch.Receipt(0), Prompt = request.Prompt, Answer = result.Tokens.ToArray(), Parameters = parameters, Finish = FinishReason.Length };
        var verdict = await GenerationReplayer.ReplayAsync(model, claim, default);
        Assert.Equal(GenerationReplayOutcome.FinishDiffers, verdict.Outcome);
        Assert.Contains("STOP", verdict.Detail);
    }

    private LanguageModel Writes(byte[] text)
    {
        var runtime = new FakeRuntime(FakeRuntime.Small with { VocabularySize = 256 });
        runtime.Shape = (row, tokens) =>
        {
            // After a prompt of tokens below 3: what is written is none of them.
            var prompt = tokens.TakeWhile(token => token < 3).Count();
            row.Span[tokens.Length - prompt < text.Length ? text[tokens.Length - prompt] : 'z'] = 100;
        };
        return FakeModel.Serve(runtime, Options, new LanguageModelServices { Sealer = _sealer }, TokenizerFixture.Bytes());
    }
}
