using OpenGradient.Engine.Attestation.Verification.Policy;

namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>Which TDX guests are accepted. A list that is empty is not judged, except where it says otherwise.</summary>
public sealed record TdxPolicy
{
    /// <summary>Intel SGX Root CA, SHA-256 of its DER, as published at certificates.trustedservices.intel.com and found at the end of every production quote.</summary>
    public const string IntelRoot = "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3";

    /// <summary>SHA-256 of the DER of each root that is trusted. The default is the vendor's own.</summary>
    public IReadOnlyList<string> Roots { get; init; } = [IntelRoot];

    /// <summary>MRTD values, 48 bytes each: the guest's initial contents. Empty accepts none, for a guest that nobody measured proves nothing.</summary>
    public IReadOnlyList<string> MrTd { get; init; } = [];

    /// <summary>Any MRTD but zero, for callers that compare the claims themselves. Off: forgetting to compare must not mean trust.</summary>
    public bool AnyMeasurement { get; init; }

    /// <summary>RTMR0 values: what the virtual firmware measured of its configuration. Differs with memory size and devices, so not judged by default.</summary>
    public IReadOnlyList<string> Rtmr0 { get; init; } = [];

    /// <summary>RTMR1 values: usually the boot loader and the kernel.</summary>
    public IReadOnlyList<string> Rtmr1 { get; init; } = [];

    /// <summary>RTMR2 values: usually the kernel's command line and first file system.</summary>
    public IReadOnlyList<string> Rtmr2 { get; init; } = [];

    /// <summary>RTMR3 values: what the guest measured while it ran.</summary>
    public IReadOnlyList<string> Rtmr3 { get; init; } = [];

    /// <summary>MRSEAM values. Not judged by default: the vendor's collateral judges the module by signer and number.</summary>
    public IReadOnlyList<string> MrSeam { get; init; } = [];

    /// <summary>MRCONFIGID values. The host chooses it, so it proves nothing unless it is named here.</summary>
    public IReadOnlyList<string> MrConfigId { get; init; } = [];

    /// <summary>MROWNER values, chosen by the host.</summary>
    public IReadOnlyList<string> MrOwner { get; init; } = [];

    /// <summary>MROWNERCONFIG values, chosen by the host.</summary>
    public IReadOnlyList<string> MrOwnerConfig { get; init; } = [];

    /// <summary>XFAM values, 8 bytes each in the body's order.</summary>
    public IReadOnlyList<string> Xfam { get; init; } = [];

    /// <summary>Processors by PPID, 16 bytes each. Physical attacks take keys from single machines: for high value, name the operator's own.</summary>
    public IReadOnlyList<string> Platforms { get; init; } = [];

    /// <summary>Accepted states of the firmware. Only current firmware by default: each other state means a published flaw or a setting that leaves one open.</summary>
    public IReadOnlyList<TdxTcbStatus> Tcb { get; init; } = [TdxTcbStatus.UpToDate];

    /// <summary>Intel's own rule by default, because its collateral is written for it.</summary>
    public TdxTcbRule TcbRule { get; init; } = TdxTcbRule.Intel;

    /// <summary>The least tcbEvaluationDataNumber of TCB info and QE identity. 0: their dates alone bound their age.</summary>
    public long LeastEvaluationNumber { get; init; }

    /// <summary>Debug guests, whose memory the host reads. For development only.</summary>
    public bool Debug { get; init; }

    /// <summary>SEPT_VE_DISABLE must be set. Without it the host can make the guest take exceptions on its own pages.</summary>
    public bool SeptVeDisable { get; init; } = true;

    /// <summary>Guests that may be moved to another platform by a service TD, which this evidence says nothing of.</summary>
    public bool Migratable { get; init; }

    /// <summary>Supervisor protection keys (PKS). On: a feature of the guest's own kernel that gives the host nothing.</summary>
    public bool ProtectionKeys { get; init; } = true;

    /// <summary>Key locker. Off: its wrapping key survives outside the guest's memory.</summary>
    public bool KeyLocker { get; init; }

    /// <summary>Performance counters in the guest. Off: they sharpen measurements of what shares the core.</summary>
    public bool Perfmon { get; init; }

    /// <summary>An event log must be among the collateral. Off: reference values say what is accepted, a log only explains them.</summary>
    public bool RequireEventLog { get; init; }

    /// <summary>How the platform protects memory. Both scalable kinds: standard ones have no TDX. Name integrity alone where memory may be changed by hardware.</summary>
    public IReadOnlyList<SgxType> SgxTypes { get; init; } = [SgxType.Scalable, SgxType.ScalableWithIntegrity];

    /// <summary>Platforms to which packages may be added. On: all servers of several packages are such.</summary>
    public bool DynamicPlatform { get; init; } = true;

    /// <summary>Platforms whose root keys Intel's registration service keeps. On: it decides what a genuine platform is anyway.</summary>
    public bool CachedKeys { get; init; } = true;

    /// <summary>Two threads on a core. On: all clouds use it, and Intel's own levels judge what it leaks.</summary>
    public bool Smt { get; init; } = true;

    internal static TdxPolicy Read(PolicyReader reader)
    {
        var defaults = new TdxPolicy();
        return new TdxPolicy
        {
            Roots = reader.Hex("roots", 32, defaults.Roots), MrTd = reader.Hex("mrtd", 48),
            AnyMeasurement = reader.Flag("anyMeasurement", defaults.AnyMeasurement),
            Rtmr0 = reader.Hex("rtmr0", 48), Rtmr1 = reader.Hex("rtmr1", 48), Rtmr2 = reader.Hex("rtmr2", 48), Rtmr3 = reader.Hex("rtmr3", 48),
            MrSeam = reader.Hex("mrseam", 48), MrConfigId = reader.Hex("mrconfigid", 48), MrOwner = reader.Hex("mrowner", 48),
            MrOwnerConfig = reader.Hex("mrownerconfig", 48), Xfam = reader.Hex("xfam", 8), Platforms = reader.Hex("platforms", 16),
            Tcb = States(reader), TcbRule = Rule(reader),
            LeastEvaluationNumber = reader.Number("leastEvaluationNumber", defaults.LeastEvaluationNumber, 0, int.MaxValue),
            Debug = reader.Flag("debug", defaults.Debug), SeptVeDisable = reader.Flag("septVeDisable", defaults.SeptVeDisable),
            Migratable = reader.Flag("migratable", defaults.Migratable), ProtectionKeys = reader.Flag("protectionKeys", defaults.ProtectionKeys),
            KeyLocker = reader.Flag("keyLocker", defaults.KeyLocker), Perfmon = reader.Flag("perfmon", defaults.Perfmon),
            RequireEventLog = reader.Flag("requireEventLog", defaults.RequireEventLog), SgxTypes = Types(reader, defaults.SgxTypes),
            DynamicPlatform = reader.Flag("dynamicPlatform", defaults.DynamicPlatform), CachedKeys = reader.Flag("cachedKeys", defaults.CachedKeys),
            Smt = reader.Flag("smt", defaults.Smt),
        };
    }

    private static IReadOnlyList<SgxType> Types(PolicyReader reader, IReadOnlyList<SgxType> defaults)
    {
        if (!reader.Has("sgxTypes")) return defaults;
        return [.. reader.Strings("sgxTypes", []).Select(Type)];

        SgxType Type(string name) => name switch
        {
            "standard" => SgxType.Standard,
            "scalable" => SgxType.Scalable,
            "scalable-with-integrity" => SgxType.ScalableWithIntegrity,
            _ => throw reader.Error("sgxTypes", "may hold standard, scalable and scalable-with-integrity"),
        };
    }

    private static TdxTcbStatus[] States(PolicyReader reader)
    {
        TdxTcbStatus[] known = [.. Enum.GetValues<TdxTcbStatus>().Where(status => status != TdxTcbStatus.Revoked)];
        return [.. reader.Strings("tcb", [nameof(TdxTcbStatus.UpToDate)]).Select(State)];

        TdxTcbStatus State(string name)
        {
            var index = Array.FindIndex(known, status => status.ToString() == name);
            return index >= 0 ? known[index] : throw reader.Error("tcb", $"must hold some of {string.Join(", ", known)}");
        }
    }

    private static TdxTcbRule Rule(PolicyReader reader) => reader.Text("tcbRule") switch
    {
        null or "intel" => TdxTcbRule.Intel,
        "all-components" => TdxTcbRule.AllComponents,
        "both" => TdxTcbRule.Both,
        _ => throw reader.Error("tcbRule", "must be intel, all-components or both"),
    };
}
