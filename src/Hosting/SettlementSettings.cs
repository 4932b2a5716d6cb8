using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Settlement;

namespace OpenGradient.Engine.Hosting;

/// <summary>What a configuration says to settlement, be it an engine's or a worker's.</summary>
internal static class SettlementSettings
{
    public static SettlementOptions Of(HostConfiguration configuration)
    {
        var chain = configuration.Chain!;
        return new SettlementOptions
        {
            DataFolder = configuration.Data,
            ChainId = chain.Id,
            Contract = EvmAddress.Parse(chain.Contract),
            MaxBatchAge = TimeSpan.FromMilliseconds(configuration.Settlement.MaxAgeMs),
            MaxBatchStatements = configuration.Settlement.MaxStatements,
            PollInterval = TimeSpan.FromMilliseconds(configuration.Settlement.TickMs),
            UseFinalizedTag = chain.FinalityDepth is null,
            FinalityDepth = chain.FinalityDepth ?? 1, // not looked at while the tag is used
            FinalityTag = chain.FinalityTag == "safe" ? FinalityTag.Safe : FinalityTag.Finalized,
            PriorityFee = (UInt128)(chain.PriorityFeeGwei * 1e9),
            MaxFeePerGas = (UInt128)(chain.MaxFeePerGasGwei * 1e9),
            MaxSpendPerDay = chain.MaxSpendPerDay is { } ether ? (UInt128)(ether * 1_000_000_000_000_000_000m) : null,
            MaxOpenReceipts = configuration.TrustGap.MaxOpenReceipts is 0 ? long.MaxValue : configuration.TrustGap.MaxOpenReceipts,
            MaxOpenAge = configuration.TrustGap.MaxOpenAgeMs == 0 ? TimeSpan.MaxValue : TimeSpan.FromMilliseconds(configuration.TrustGap.MaxOpenAgeMs),
            OnGapExceeded = configuration.TrustGap.ToResponse(),
            Objective = configuration.TrustGap.ToObjective(),
            Closing = configuration.Settlement.ToClosing(),
            HaltOnBadStatement = configuration.Audit.OnBadStatement == "stopEpoch",
            Witnesses = configuration.Log.Addresses(),
            Storage = configuration.Storage.ToOptions(),
        };
    }
}
