using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Constraints;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Replay;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Generation;

public sealed class ConstrainedAnswerTests
{
    private static readonly GenerationRequest Request = FakeModel.Request([1, 2], 40) with { IgnoreEndOfSequence = false };

    [Fact]
    public async Task Answer_UnderAConstraint_StaysWithinAndEndsWhenComplete()
    {
        var sealer = new ReferenceSealer();
        await using var model = FakeModel.Serve(new FakeRuntime(), services: new LanguageModelServices { Sealer = sealer });
        var constraint = new Even { Length = 9 };
        var request = Request with { Constraint = constraint, Sampling = new() { Seed = 8 } };
        var result = await model.Answer(request);
        Assert.Equal((FinishReason.Constraint, 9), (result.Finish, result.Tokens.Count));
        Assert.All(result.Tokens, token => Assert.Equal(0, token % 2));
        Assert.Equal(Hash256.Sha256(constraint.Description.Span), result.Parameters!.Constraint);

        var claim = new GenerationClaim
        {
            Receipt = result.Heads[0].Receipt, Prompt = Request.Prompt, Answer = result.Tokens.ToArray(), Parameters = result.Parameters, Finish = result.Finish, Constraint = constraint,
        };
        Assert.Equal(GenerationReplayOutcome.Reproduced, GenerationReplayer.Replay(new FakeRuntime(), claim).Outcome);
        Assert.Equal(GenerationReplayOutcome.WrongParameters, GenerationReplayer.Replay(new FakeRuntime(), claim with { Constraint = null }).Outcome);
        Assert.Equal(GenerationReplayOutcome.TokenDiffers, GenerationReplayer.Replay(new FakeRuntime(), claim with { Constraint = new Even { Length = 9, Remainder = 1 } }).Outcome);
    }

    /// <summary>An end token is the constraint's to allow, whatever the logits say.</summary>
    [Fact]
    public async Task Answer_ThatMayEnd_EndsWithTheEndTokenOnly()
    {
        var runtime = new FakeRuntime { Shape = (row, _) => row.Span[FakeModel.End] = 100 };
        await using var model = FakeModel.Serve(runtime);
        var result = await model.Answer(Request with { Constraint = new Even { Length = 20, MayEndFrom = 6 } });
        Assert.Equal((FinishReason.EndOfSequence, 7, FakeModel.End), (result.Finish, result.Tokens.Count, result.Tokens[^1]));
        var never = await model.Answer(Request with { Constraint = new Even { Length = 20, MayEndFrom = 6 }, IgnoreEndOfSequence = true });
        Assert.Equal((FinishReason.Constraint, 20), (never.Finish, never.Tokens.Count));
    }

    [Fact]
    public async Task Answer_ConstraintWithoutAWayOut_FailsByName()
    {
        await using var model = FakeModel.Serve(new FakeRuntime());
        var (stuck, fine) = (model.Started(Request with { Constraint = new Even { Length = 20, StuckFrom = 3 } }), model.Started(Request with { IgnoreEndOfSequence = true }));
        var result = await stuck.Completion.WaitAsync(FakeModel.Patience);
        Assert.Equal((FinishReason.Failed, GenerationError.ConstraintUnsatisfiable, 3), (result.Finish, result.Failure!.Error, result.Tokens.Count));
        Assert.Equal(40, (await fine.Completion.WaitAsync(FakeModel.Patience)).Tokens.Count);
    }

    [Theory, InlineData("allow"), InlineData("advance")]
    public async Task Answer_ConstraintThatThrows_FailsAlone(string where)
    {
        await using var model = FakeModel.Serve(new FakeRuntime());
        var (broken, fine) = (model.Started(Request with { Constraint = new Even { Length = 20, ThrowsIn = where } }), model.Started(Request with { IgnoreEndOfSequence = true }));
        var result = await broken.Completion.WaitAsync(FakeModel.Patience);
        Assert.Equal((FinishReason.Failed, GenerationError.ConstraintUnsatisfiable), (result.Finish, result.Failure!.Error));
        Assert.DoesNotContain("private", result.Failure.Message);
        Assert.Equal(40, (await fine.Completion.WaitAsync(FakeModel.Patience)).Tokens.Count);
    }

    [Fact]
    public async Task Start_ConstraintThatCannotBegin_IsRefused()
    {
        await using var model = FakeModel.Serve(new FakeRuntime());
        Assert.Equal(GenerationError.ConstraintUnsatisfiable, model.Refused(Request with { Constraint = new Even { ThrowsIn = "start" } }).Error);
    }

    /// <summary>Tokens that are even, or odd: so many of them.</summary>
    private sealed class Even : ITokenConstraintSource
    {
        public int Length { get; init; } = 5;

        public int Remainder { get; init; }

        public int MayEndFrom { get; init; } = int.MaxValue;

        public int StuckFrom { get; init; } = int.MaxValue;

        public string ThrowsIn { get; init; } = "";

        public ReadOnlyMemory<byte> Description { get; } = "even numbers"u8.ToArray();

        public ITokenConstraint Start() => ThrowsIn == "start" ? throw new InvalidOperationException("private") : new Constraint(this);

        private sealed class Constraint(Even rules) : ITokenConstraint
        {
            private int _count;

            public bool MayEnd => IsComplete || _count >= rules.MayEndFrom;

            public bool IsComplete => _count >= rules.Length;

            public bool Allow(Span<ulong> allowed)
            {
                if (rules.ThrowsIn == "allow") throw new InvalidOperationException("private");
                allowed.Fill(_count >= rules.StuckFrom ? 0 : rules.Remainder == 0 ? 0x5555_5555_5555_5555 : 0xAAAA_AAAA_AAAA_AAAA);
                return _count < rules.StuckFrom;
            }

            public void Advance(int token)
            {
                if (rules.ThrowsIn == "advance") throw new InvalidOperationException("private");
                Assert.Equal(rules.Remainder, token % 2);
                _count++;
            }
        }
    }
}
