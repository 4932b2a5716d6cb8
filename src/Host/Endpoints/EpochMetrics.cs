using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Hosting.Epochs;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary>The signing key's part of <see cref="MetricsEndpoint"/>.</summary>
internal static class EpochMetrics
{
    public static void Append(PrometheusText text, EngineHost host)
    {
        var status = host.Keys.Status;
        text.Family("og_epoch_number", "gauge", "The signing key's place among the epochs of the log.");
        text.Sample("og_epoch_number", "", status.Number);
        text.Family("og_epoch_age_seconds", "gauge", "Since the signing key was made.");
        text.Sample("og_epoch_age_seconds", "", status.Age.TotalSeconds);
        text.Family("og_epoch_statements", "gauge", "Statements that it has signed.");
        text.Sample("og_epoch_statements", "", status.Statements);
        text.Family("og_epoch_retiring", "gauge", "1 while the key before it is kept for batches that were executing.");
        text.Sample("og_epoch_retiring", "", host.Keys.Retiring is null ? 0 : 1);
        text.Family("og_epoch_rotations_total", "counter", "Keys replaced since the process began, by why.");
        foreach (var reason in Enum.GetValues<RotationReason>())
            text.Sample("og_epoch_rotations_total", PrometheusText.Label("reason", reason.ToString().ToLowerInvariant()), host.Rotation.Rotations(reason));
        text.Family("og_epoch_rotation_trouble", "gauge", "1 while a rotation is due and could not be made.");
        text.Sample("og_epoch_rotation_trouble", "", host.Rotation.Trouble is null ? 0 : 1);
    }
}
