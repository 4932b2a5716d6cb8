using OpenGradient.Engine.Host.Live;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Hosting;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary>Replaces the signing key. For the operator alone.</summary>
internal sealed class RotateEndpoint(EngineHost host)
{
    public async Task Handle(HttpContext context)
    {
        var outcome = await host.Rotation.RotateAsync(context.RequestAborted);
        if (outcome.Begun is not { } begun)
        {
            await Answers.Error(context, StatusCodes.Status409Conflict, outcome.Refusal!);
            return;
        }

        await Answers.Json(context, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            EpochJson.Write(json, begun);
            json.WriteNumber("overlapSeconds", host.Rotation.Options.Overlap.TotalSeconds);
            json.WriteEndObject();
        });
    }
}
