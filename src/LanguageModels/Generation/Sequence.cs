using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Commitments;
using OpenGradient.Engine.LanguageModels.Constraints;
using OpenGradient.Engine.LanguageModels.Generation.Cache;
using OpenGradient.Engine.LanguageModels.Generation.Text;
using OpenGradient.Engine.LanguageModels.Sampling;

namespace OpenGradient.Engine.LanguageModels.Generation;

/// <summary>Where a sequence is.</summary>
internal enum SequenceState
{
    /// <summary>Admitted; holds neither slot nor pages.</summary>
    Waiting,

    /// <summary>Part of every step.</summary>
    Running,

    /// <summary>Its cache was taken away and will be computed again.</summary>
    Preempted,

    Ended,
}

/// <summary>A request under way: its tokens, its share of the cache and what it draws from. Used by the scheduler's thread only, once it arrived there.</summary>
internal sealed class Sequence
{
    private int[] _tokens;

    public Sequence(GenerationPlan plan, GenerationOutput output, SequencePages pages, AnswerText text, ITokenConstraint? constraint)
    {
        Plan = plan;
        Output = output;
        Pages = pages;
        Text = text;
        Constraint = constraint;
        Sampler = new TokenSampler(plan.Parameters.Sampling, plan.Parameters.Seed, plan.Prompt);
        _tokens = plan.Prompt;
        Count = plan.Prompt.Length;
    }

    public GenerationPlan Plan { get; }

    public GenerationOutput Output { get; }

    public SequencePages Pages { get; }

    public AnswerText Text { get; }

    public ITokenConstraint? Constraint { get; }

    public TokenSampler Sampler { get; }

    public SequenceState State { get; set; }

    /// <summary>Prompt and answer.</summary>
    public int Count { get; private set; }

    public int PromptLength => Plan.Prompt.Length;

    public int Answered => Count - PromptLength;

    /// <summary>Tokens that are not in the cache: 1 while decoding, more while a prompt is computed.</summary>
    public int Uncached => Count - Pages.Cached;

    public ReadOnlyMemory<int> Tokens => _tokens.AsMemory(0, Count);

    /// <summary>By arrival: among equal priorities the older one keeps its pages.</summary>
    public long Order { get; set; }

    public RequestPriority Priority => Plan.Request.Priority;

    /// <summary>Tokens in the step that is being planned.</summary>
    public int Planned { get; set; }

    /// <summary>A step with this sequence failed: it is tried once more, without neighbours.</summary>
    public bool IsAlone { get; set; }

    /// <summary>It lost its slot to a higher priority once, or has it by its priority's turn: no higher priority takes it again, so that it ends.</summary>
    public bool KeepsSlot { get; set; }

    public int Preemptions { get; set; }

    public int CachedPromptTokens { get; set; }

    /// <summary>What the last row of logits gave, and the failure when the constraint threw.</summary>
    public SampledToken Sampled { get; set; }

    public GenerationFailure? SamplingFailure { get; set; }

    public SequenceTimes Times { get; } = new();

    public SequenceHeads Heads { get; } = new();

    public void Append(int token)
    {
        // The first time, too: the prompt's array is the plan's.
        if (Count == _tokens.Length) Array.Resize(ref _tokens, Math.Min(Math.Max(16, 2 * Count), PromptLength + Plan.Parameters.MaxTokens));
        _tokens[Count++] = token;
        Sampler.Accept(token);
    }

    public HeadClaim Claim(FinishReason finish) => new(Tokens, PromptLength, finish, Heads.Previous, Plan.ParameterDigest);

    /// <summary>Ordered by who keeps slot and pages: higher priorities first, then the older.</summary>
    public static int CompareRank(Sequence left, Sequence right) =>
        left.Priority != right.Priority ? left.Priority.CompareTo(right.Priority) : left.Order.CompareTo(right.Order);
}

/// <summary>Timestamps of the monotonic clock; 0 until reached.</summary>
internal sealed class SequenceTimes
{
    public long Admitted { get; set; }

    /// <summary>When a slow-down of the gate is over.</summary>
    public long Ready { get; set; }

    public long Deadline { get; set; } = long.MaxValue;

    public long Started { get; set; }

    public long FirstToken { get; set; }

    public long LastToken { get; set; }
}

/// <summary>The chain of heads over one answer.</summary>
internal sealed class SequenceHeads
{
    public Hash256 Previous { get; set; }

    /// <summary>Tokens under the last head.</summary>
    public int Tokens { get; set; }

    public long SignedAt { get; set; }
}
