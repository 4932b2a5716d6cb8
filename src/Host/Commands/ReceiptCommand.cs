using System.CommandLine;
using System.Text;
using OpenGradient.Engine.Host.Protocol;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og receipt show FILE</c>: a receipt for people.</summary>
internal static class ReceiptCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("receipt") { Description = "Receipt file" };
        var show = new Command("show", "Print a receipt and its proof as JSON; checks nothing (see og verify)") { file };
        show.SetAction(parsed =>
        {
            var bundle = ReceiptFiles.Read(parsed.GetValue(file)!);
            Console.WriteLine(Encoding.UTF8.GetString(ReceiptJson.Render(bundle).WrittenSpan));
            return ExitCodes.Ok;
        });
        return new Command("receipt", "Look into receipt files") { show };
    }
}
