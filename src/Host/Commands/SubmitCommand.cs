using System.CommandLine;
using OpenGradient.Engine.Host.Client;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og submit RECEIPT</c>: hands a signed promise back to the host that made it.</summary>
internal static class SubmitCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("receipt") { Description = "Receipt file" };
        var url = CommonOptions.Url();
        var key = CommonOptions.ApiKeyFile();
        var command = new Command("submit", "Hand a receipt back to its host, for example after the host died before the receipt was durable") { file, url, key };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = HostClient.Connect(parsed.GetValue(url)!, parsed.GetValue(key));
            using var status = await client.Submit(ReceiptFiles.Read(parsed.GetValue(file)!).Receipt, cancellation);
            Console.WriteLine($"receipt {status.RootElement.GetProperty("id").GetString()}  {AnswerText.Stage(status.RootElement)}");
            return ExitCodes.Ok;
        });
        return command;
    }
}
