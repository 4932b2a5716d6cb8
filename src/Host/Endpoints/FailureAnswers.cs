using System.Globalization;
using OpenGradient.Engine.Host.Protocol;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary>The engine's closed set of failures as HTTP.</summary>
internal static class FailureAnswers
{
    private const int ClientClosedRequest = 499;

    public static Task Write(HttpContext context, InferenceFailure failure)
    {
        if (failure.RetryAfter is { } wait)
            context.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        return Answers.Error(context, Status(failure.Kind), failure.Message);
    }

    private static int Status(InferenceFailureKind kind) => kind switch
    {
        InferenceFailureKind.UnknownModel => StatusCodes.Status404NotFound,
        InferenceFailureKind.InvalidInput => StatusCodes.Status400BadRequest,
        InferenceFailureKind.QueueFull => StatusCodes.Status429TooManyRequests,
        InferenceFailureKind.DeadlineExceeded or InferenceFailureKind.ExecutionTimeout => StatusCodes.Status504GatewayTimeout,
        InferenceFailureKind.Cancelled => ClientClosedRequest,
        // Nothing ran out yet, so no 504: the host has too much to do, and says when to come again.
        InferenceFailureKind.WouldMissDeadline => StatusCodes.Status503ServiceUnavailable,
        InferenceFailureKind.ModelNotReady or InferenceFailureKind.TrustGapExceeded or InferenceFailureKind.ShuttingDown
            or InferenceFailureKind.ModelUnavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };
}
