namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>State of a platform, its module and its quoting enclave together.</summary>
internal sealed record TcbVerdict(TdxTcbStatus Status, IReadOnlyList<string> Advisories);

/// <summary>Finds levels and merges them, as Intel's quote verification library does (its steps 4.1.2.5.18 to 20).</summary>
/// <param name="everyComponent">All 16 components count for modules with an identity too.</param>
internal sealed class TcbEvaluation(TcbInfo info, QeIdentity enclave, PckExtension platform, int enclaveSvn, bool everyComponent)
{
    // Of TEE_TCB_SVN: the module's minor and major number; the platform's components begin behind them.
    private const int ModuleMinor = 0, ModuleMajor = 1, FirstPlatform = 2;

    /// <param name="launch">As the guest was launched.</param>
    /// <param name="current">As the platform is now; null before TDX 1.5.</param>
    /// <param name="missing">What has no level, where the answer is null.</param>
    /// <returns>Null where something is below every level.</returns>
    public TcbVerdict? Evaluate(ReadOnlySpan<byte> launch, ReadOnlyMemory<byte>? current, out string? missing)
    {
        var atLaunch = Evaluate(launch, out missing);
        if (atLaunch is null || current is null) return atLaunch;
        var now = Evaluate(current.Value.Span, out missing);
        return now is null ? null : atLaunch with { Status = Relaunch(atLaunch.Status, now.Status) };
    }

    private TcbVerdict? Evaluate(ReadOnlySpan<byte> svn, out string? missing)
    {
        missing = null;
        if (Level(svn) is not { } level) missing = "the platform";
        else if (SvnLevel.Match(enclave.Levels, enclaveSvn) is not { } qe) missing = "the quoting enclave";
        else
        {
            if (svn[ModuleMajor] == 0) return Merge(level, qe);
            var module = info.For(svn[ModuleMajor]) is { } identity ? SvnLevel.Match(identity.Levels, svn[ModuleMinor]) : null;
            if (module is not null) return Merge(level, qe, module);
            missing = "the TDX module";
        }

        return null;
    }

    private PlatformLevel? Level(ReadOnlySpan<byte> svn)
    {
        var from = everyComponent || svn[ModuleMajor] == 0 ? 0 : FirstPlatform;
        foreach (var level in info.Levels)
        {
            if (Reaches(platform.Components.Span, level.Sgx) && platform.PceSvn >= level.PceSvn && Reaches(svn[from..], level.Tdx.AsSpan(from))) return level;
        }

        return null;
    }

    private static bool Reaches(ReadOnlySpan<byte> numbers, ReadOnlySpan<byte> level)
    {
        for (var index = 0; index < numbers.Length; index++)
        {
            if (numbers[index] < level[index]) return false;
        }

        return true;
    }

    private static TcbVerdict Merge(PlatformLevel level, params ReadOnlySpan<SvnLevel> parts)
    {
        var status = level.Status;
        var advisories = new SortedSet<string>(level.Advisories, StringComparer.Ordinal);
        foreach (var part in parts)
        {
            status = Worse(status, part.Status);
            advisories.UnionWith(part.Advisories);
        }

        return new TcbVerdict(status, [.. advisories]);
    }

    private static TdxTcbStatus Worse(TdxTcbStatus platform, TdxTcbStatus part) => part switch
    {
        TdxTcbStatus.UpToDate => platform,
        TdxTcbStatus.OutOfDate when platform is TdxTcbStatus.UpToDate or TdxTcbStatus.SWHardeningNeeded => TdxTcbStatus.OutOfDate,
        TdxTcbStatus.OutOfDate when platform is TdxTcbStatus.ConfigurationNeeded or TdxTcbStatus.ConfigurationAndSWHardeningNeeded =>
            TdxTcbStatus.OutOfDateConfigurationNeeded,
        TdxTcbStatus.OutOfDate => platform,
        // States that an enclave or a module cannot have by the specification: the worst that they could mean.
        _ => TdxTcbStatus.Revoked,
    };

    // The guest is old, the platform under it is not any more.
    private static TdxTcbStatus Relaunch(TdxTcbStatus launch, TdxTcbStatus now)
    {
        if (launch is not (TdxTcbStatus.OutOfDate or TdxTcbStatus.OutOfDateConfigurationNeeded)) return launch;
        return now switch
        {
            TdxTcbStatus.UpToDate or TdxTcbStatus.SWHardeningNeeded when launch is TdxTcbStatus.OutOfDate => TdxTcbStatus.TDRelaunchAdvised,
            TdxTcbStatus.UpToDate or TdxTcbStatus.SWHardeningNeeded or TdxTcbStatus.ConfigurationNeeded or TdxTcbStatus.ConfigurationAndSWHardeningNeeded =>
                TdxTcbStatus.TDRelaunchAdvisedConfigurationNeeded,
            _ => launch,
        };
    }
}
