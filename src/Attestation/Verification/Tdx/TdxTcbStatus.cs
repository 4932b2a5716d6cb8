namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>Intel's words for the state of a platform's firmware.</summary>
public enum TdxTcbStatus
{
    UpToDate,

    /// <summary>The guest's software should carry mitigations of its own.</summary>
    SWHardeningNeeded,

    /// <summary>The platform's configuration should change.</summary>
    ConfigurationNeeded,

    ConfigurationAndSWHardeningNeeded,

    /// <summary>The firmware is current now, but was not when the guest was launched.</summary>
    TDRelaunchAdvised,

    TDRelaunchAdvisedConfigurationNeeded,

    OutOfDate,

    OutOfDateConfigurationNeeded,

    /// <summary>Keys of such platforms are not trusted. No policy accepts it.</summary>
    Revoked,
}

/// <summary>How a guest's numbers are held against the vendor's levels.</summary>
public enum TdxTcbRule
{
    /// <summary>As Intel's quote verification library does: components 0 and 1 are judged by the module's identity wherever it has one.</summary>
    Intel,

    /// <summary>All 16 components of a level must be reached, also by guests whose module has an identity. Stricter, and other verifiers' rule.</summary>
    AllComponents,

    /// <summary>Both, each of which must give an accepted state.</summary>
    Both,
}
