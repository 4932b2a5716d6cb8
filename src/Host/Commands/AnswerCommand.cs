using System.CommandLine;
using OpenGradient.Engine.Host.Client;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og answer ID</c>: fetches an answer that its host has kept.</summary>
internal static class AnswerCommand
{
    public static Command Create()
    {
        var id = new Argument<string>("receipt-id") { Description = "The id that og infer, or the header OG-Receipt-Id, named" };
        var wait = new Option<string>("--wait") { Description = "Return when the receipt has come this far", DefaultValueFactory = _ => "fast" };
        wait.AcceptOnlyFromAmong(InferCommand.Policies);
        var receipt = new Option<string?>("--receipt") { Description = "Write the receipt with its proof as far as it has grown to this file" };
        var output = new Option<string?>("--output") { Description = "Write the answer as it came to this file, for example for og replay" };
        var url = CommonOptions.Url();
        var key = CommonOptions.ApiKeyFile();
        var timeout = CommonOptions.TimeoutSeconds(60);
        var command = new Command("answer", "Fetch an answer that its host has kept because a wait ran out; the host then forgets it") { id, wait, receipt, output, url, key, timeout };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = HostClient.Connect(parsed.GetValue(url)!, parsed.GetValue(key));
            var policy = parsed.GetValue(wait)!;
            var answer = await client.Fetch(parsed.GetValue(id)!, policy, TimeSpan.FromSeconds(parsed.GetValue(timeout)), cancellation);
            return await InferCommand.Show(client, answer, policy, parsed.GetValue(receipt), parsed.GetValue(output), cancellation);
        });
        return command;
    }
}
