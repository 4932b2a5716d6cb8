using System.Text.Json;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Hosting.Epochs;

namespace OpenGradient.Engine.Host.Live;

/// <summary>The epoch's part of <see cref="OverviewJson"/>: which key signs, since when, and what is left of the one before.</summary>
internal static class EpochJson
{
    public static void Write(Utf8JsonWriter json, EngineHost host)
    {
        json.WriteStartObject("epoch");
        Write(json, host.Keys.Status);
        json.WriteNumber("rotations", Enum.GetValues<RotationReason>().Sum(host.Rotation.Rotations));
        if (host.Keys.Retiring is { } retiring)
        {
            json.WriteStartObject("retiring");
            Write(json, retiring);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, EpochStatus status)
    {
        json.WriteString("id", status.Epoch.Id.ToString());
        json.WriteNumber("number", status.Number);
        json.WriteString("begun", status.Begun.UtcDateTime);
        json.WriteNumber("ageSeconds", Math.Round(status.Age.TotalSeconds));
        json.WriteNumber("statements", status.Statements);
    }
}
