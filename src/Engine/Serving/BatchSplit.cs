using OpenGradient.Engine.Backends;

namespace OpenGradient.Engine.Serving;

/// <summary>What becomes of a batch of several requests that failed as one call.</summary>
internal enum BatchSplit
{
    /// <summary>All of them fail: no other call would do better.</summary>
    None,

    /// <summary>Each is executed alone.</summary>
    EachAlone,

    /// <summary>Either half is executed, and halved again where it fails likewise.</summary>
    Halves,
}

internal static class BatchSplits
{
    public static BatchSplit After(BackendFault fault) => fault.Kind switch
    {
        BackendFaultKind.OutOfMemory => BatchSplit.Halves,
        BackendFaultKind.DeviceLost => BatchSplit.None,
        _ => BatchSplit.EachAlone,
    };
}
