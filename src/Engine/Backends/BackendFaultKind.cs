namespace OpenGradient.Engine.Backends;

/// <summary>What a fault means for the rest of its batch and for the calls after it.</summary>
public enum BackendFaultKind
{
    /// <summary>This call gave no outputs: a row may be at fault, so each request is tried alone.</summary>
    Call,

    /// <summary>The batch takes more memory than there is: fewer rows may fit, so it is halved until they do.</summary>
    OutOfMemory,

    /// <summary>The device is gone for this process: the batch is not tried again, and the model refuses requests from then on.</summary>
    DeviceLost,
}
