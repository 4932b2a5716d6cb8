using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement;

/// <summary>What the operator chooses. Immutable; validated when the service opens.</summary>
public sealed record SettlementOptions
{
    /// <summary>Absolute path. Holds <c>outbox/</c>, <c>archive/</c> and <c>log/</c>; one process at a time.</summary>
    public required string DataFolder { get; init; }

    public required ulong ChainId { get; init; }

    /// <summary>The ledger contract.</summary>
    public required EvmAddress Contract { get; init; }

    public OutboxOptions Outbox { get; init; } = new();

    /// <summary>Statements per settlement batch. 4,096: at 64 receipts each the anchor's gas is below one unit per receipt already.</summary>
    public int MaxBatchStatements { get; init; } = 4096;

    /// <summary>How long the oldest statement waits for its anchor. 1 s: anchored within seconds; a chain with dear gas wants minutes.</summary>
    public TimeSpan MaxBatchAge { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Time between two looks at the chain. 250 ms: a quarter of the fastest usual block time.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Final is what the chain's <c>finalized</c> tag covers; a chain without the tag makes nothing final. Off: a development chain's tag says little.</summary>
    public bool UseFinalizedTag { get; init; }

    /// <summary>Which tag, where one is used. <c>finalized</c>: what is called final here should be what the chain calls so; <c>safe</c> is for those who would rather wait less.</summary>
    public FinalityTag FinalityTag { get; init; } = FinalityTag.Finalized;

    /// <summary>Blocks, the anchor's own included, after which it counts as final where the tag is not used. 4: visible on a 1-second development chain; a public chain without the tag needs more.</summary>
    public ulong FinalityDepth { get; init; } = 4;

    /// <summary>Wei. 1 gwei: the customary tip that gets a transaction into the next blocks.</summary>
    public UInt128 PriorityFee { get; init; } = 1_000_000_000;

    /// <summary>Wei per gas that is never exceeded. 200 gwei: above it an anchor waits and an alarm is raised.</summary>
    public UInt128 MaxFeePerGas { get; init; } = 200_000_000_000;

    /// <summary>Wei that may be spent in 24 hours; null for no limit. Null: what a coin is worth is the chain's matter, so no figure fits all; an operator on a chain with dear coins sets one.</summary>
    public UInt128? MaxSpendPerDay { get; init; }

    /// <summary>Blocks without inclusion before a transaction is replaced by a dearer one. 3: as long as a full block can be bad luck. Counted in blocks, so that a slow chain causes no replacement.</summary>
    public ulong BumpAfterBlocks { get; init; } = 3;

    /// <summary>Whether this process verifies its statements itself. False: a verifier that shares the journal does.</summary>
    public bool Verifies { get; init; } = true;

    public StorageOptions Storage { get; init; } = new();

    /// <summary>Open receipts beyond which admission is asked to wait. A million: the memory they take, and minutes of full load.</summary>
    public long MaxOpenReceipts { get; init; } = 1_000_000;

    /// <summary>Age of the oldest open receipt beyond which admission is asked to wait. 10 minutes: a chain that stands still that long wants an operator.</summary>
    public TimeSpan MaxOpenAge { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>What admission does at either of the two bounds above.</summary>
    public TrustGapResponse OnGapExceeded { get; init; } = new();

    /// <summary>What is promised of the gap; shown, measured, and what adaptive closing works for.</summary>
    public TrustGapObjective Objective { get; init; } = new();

    /// <summary>When a settlement batch is closed.</summary>
    public ClosingOptions Closing { get; init; } = new();

    /// <summary>Whether a statement that fails a check stops this epoch's key. On: what else that key signed is as doubtful, and a restart begins a new epoch, while a wrong receipt that became final stays.</summary>
    public bool HaltOnBadStatement { get; init; } = true;

    /// <summary>Witnesses that every checkpoint is submitted to; none by default: they are other people's machines.</summary>
    public IReadOnlyList<WitnessAddress> Witnesses { get; init; } = [];

    public void Validate()
    {
        if (!Path.IsPathFullyQualified(DataFolder)) throw new ArgumentException("the data folder must be an absolute path", nameof(DataFolder));
        if (Contract.IsZero) throw new ArgumentException("the contract's address is missing", nameof(Contract));
        ArgumentOutOfRangeException.ThrowIfZero(ChainId);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBatchStatements, 1);
        ArgumentOutOfRangeException.ThrowIfZero(FinalityDepth);
        ArgumentOutOfRangeException.ThrowIfZero(BumpAfterBlocks);
        ArgumentOutOfRangeException.ThrowIfLessThan(PollInterval, TimeSpan.FromMilliseconds(1));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxFeePerGas, PriorityFee);
        if (Witnesses.Any(witness => witness.Key.Type != NoteKeyType.Cosignature)) throw new ArgumentException("a witness's verifier key is of type 4", nameof(Witnesses));
        if (Witnesses.Select(witness => witness.Key.Name).Distinct().Count() != Witnesses.Count) throw new ArgumentException("two witnesses have one name", nameof(Witnesses));
        Outbox.Validate();
        OnGapExceeded.Validate();
        Objective.Validate();
        Closing.Validate(Objective);
        Storage.Validate();
    }
}

/// <summary>A witness that checkpoints are submitted to.</summary>
/// <param name="Key">Of type <see cref="NoteKeyType.Cosignature"/>.</param>
/// <param name="Url">C2SP's submission prefix; also asked for the witness's view.</param>
public sealed record WitnessAddress(VerifierKey Key, Uri Url);
