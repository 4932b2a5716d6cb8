using System.Text.Json;

namespace OpenGradient.Engine.Host.Commands;

/// <summary>Answer files: the protocol's JSON as the host sent it, digit for digit.</summary>
internal static class AnswerFiles
{
    public static async Task Write(string file, JsonDocument answer, CancellationToken cancellation)
    {
        var temporary = file + ".tmp";
        await File.WriteAllTextAsync(temporary, answer.RootElement.GetRawText(), cancellation);
        File.Move(temporary, file, overwrite: true);
        Console.WriteLine($"wrote {file}");
    }
}
