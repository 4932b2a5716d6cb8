using System.Text.Json;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Host.Server;
using OpenGradient.Engine.Hosting;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary>Copies the data folder to a folder of this machine while the host serves. For the operator alone.</summary>
internal sealed class BackupEndpoint(EngineHost host)
{
    private const int MaxBody = 16 << 10;

    public async Task Handle(HttpContext context)
    {
        var folder = FolderOf(await RequestBody.Read(context, MaxBody));
        if (host.Settlement is null)
        {
            await Answers.Error(context, StatusCodes.Status409Conflict, "this host runs without settlement: there is nothing to back up");
            return;
        }

        try
        {
            var report = await host.BackUpAsync(folder);
            await Answers.Json(context, StatusCodes.Status200OK, json =>
            {
                json.WriteStartObject();
                json.WriteString("folder", folder);
                json.WriteNumber("files", report.Files);
                json.WriteNumber("bytes", report.Bytes);
                json.WriteString("journal", report.Journal.ToString());
                json.WriteEndObject();
            });
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            await Answers.Error(context, StatusCodes.Status409Conflict, refused.Message);
        }
    }

    private static string FolderOf(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("folder", out var given)
                && given.ValueKind == JsonValueKind.String && Path.IsPathFullyQualified(given.GetString()!)) return given.GetString()!;
        }
        catch (JsonException)
        {
        }

        throw new BadRequestException("the body is {\"folder\": \"/absolute/path\"}, a folder that is absent or empty");
    }
}
