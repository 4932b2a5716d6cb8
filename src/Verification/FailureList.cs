using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification;

/// <summary>Failures in the order they were found; each reason and sentence once.</summary>
internal sealed class FailureList
{
    private readonly List<VerificationFailure> _failures = [];

    public void Add(VerificationReason reason, string detail)
    {
        var failure = new VerificationFailure(reason, detail);
        if (!_failures.Contains(failure)) _failures.Add(failure);
    }

    public VerificationFailure[] ToArray() => [.. _failures];
}
