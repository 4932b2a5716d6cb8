using OpenGradient.Engine.Backends;

namespace OpenGradient.Engine;

/// <summary>The wording of every failure.</summary>
internal static class Failures
{
    public static readonly InferenceFailure Cancelled =
        new(InferenceFailureKind.Cancelled, "the request was cancelled before it was executed");

    public static readonly InferenceFailure DeadlineExceeded =
        new(InferenceFailureKind.DeadlineExceeded, "the request's time ran out before it was executed");

    public static readonly InferenceFailure ShuttingDown =
        new(InferenceFailureKind.ShuttingDown, "the engine is shutting down");

    public static InferenceFailure UnknownModel(string name, string? version) =>
        new(InferenceFailureKind.UnknownModel, version is null ? $"no model '{name}' is loaded" : $"no model '{name}' of version '{version}' is loaded");

    public static InferenceFailure NotReady(string name) =>
        new(InferenceFailureKind.ModelNotReady, $"model '{name}' is being unloaded");

    public static InferenceFailure QueueFull(string name, string limit, TimeSpan retryAfter) =>
        new(InferenceFailureKind.QueueFull, $"the queue of model '{name}' is full ({limit})") { RetryAfter = retryAfter };

    public static InferenceFailure WouldMiss(TimeSpan timeout, TimeSpan wait, TimeSpan retryAfter) =>
        new(InferenceFailureKind.WouldMissDeadline, $"the request would not be executed within its {timeout.TotalMilliseconds:0.###} ms: about {wait.TotalMilliseconds:0.###} ms of work wait before it") { RetryAfter = retryAfter };

    public static InferenceFailure TrustGap(TimeSpan retryAfter) =>
        new(InferenceFailureKind.TrustGapExceeded, "too many receipts are not final yet") { RetryAfter = retryAfter };

    public static InferenceFailure Invalid(string? tensor, string message) =>
        new(InferenceFailureKind.InvalidInput, message) { Tensor = tensor };

    public static InferenceFailure Backend(BackendFault fault) =>
        new(InferenceFailureKind.BackendFailed, $"the backend could not execute the request ({fault.Code})") { OperatorDetail = fault.Detail };

    /// <summary>An exception where none belongs, as the backend's fault: its words are for the operator only.</summary>
    public static BackendFault FaultOf(Exception error) =>
        error is OutOfMemoryException
            ? new BackendFault("out of memory", error.ToString()) { Kind = BackendFaultKind.OutOfMemory }
            : new BackendFault("internal error", error.ToString());

    public static InferenceFailure Timeout(TimeSpan limit, BackendFault fault) =>
        new(InferenceFailureKind.ExecutionTimeout, $"the execution was stopped after its limit of {limit.TotalMilliseconds:0} ms") { OperatorDetail = fault.Detail };

    public static InferenceFailure Hung(ModelOptions options) =>
        new(InferenceFailureKind.ExecutionTimeout, $"the execution was given up: it did not stop at its limit of {options.ExecutionTimeout.TotalMilliseconds:0} ms")
        {
            OperatorDetail = $"the backend did not return within {options.TerminationGrace.TotalMilliseconds:0} ms after it was asked to",
        };

    public static InferenceFailure Unavailable(string name, ModelHealthReport health) =>
        new(InferenceFailureKind.ModelUnavailable, $"model '{name}' is unavailable") { OperatorDetail = string.Join("; ", health.Reasons) };

    public static InferenceFailure Sealing(Exception error) =>
        new(InferenceFailureKind.SealingFailed, error is Formats.EpochHaltedException ? error.Message : "the answer could not be sealed") { OperatorDetail = error.Message };
}
