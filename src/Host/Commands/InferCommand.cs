using System.CommandLine;
using System.Net;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Client;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og infer MODEL --input FILE</c>.</summary>
internal static class InferCommand
{
    internal static readonly string[] Policies = ["fast", "durable", "verified", "anchored", "final"];

    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "Name of the model" };
        var input = new Option<string>("--input") { Description = "A request of the Open Inference Protocol, or a list of objects with one under 'request'", Required = true };
        var item = new Option<int>("--item") { Description = "Which entry of a list to send, from 0" };
        var wait = new Option<string>("--wait") { Description = "Return when the receipt has come this far", DefaultValueFactory = _ => "fast" };
        wait.AcceptOnlyFromAmong(Policies);
        var receipt = new Option<string?>("--receipt") { Description = "Write the receipt with its proof as far as it has grown to this file" };
        var output = new Option<string?>("--output") { Description = "Write the answer as it came to this file, for example for og replay" };
        var local = new Option<bool>("--local") { Description = "Run the engine in this process instead of asking a host; needs --config" };
        var url = CommonOptions.Url();
        var key = CommonOptions.ApiKeyFile();
        var config = CommonOptions.Config();
        var set = CommonOptions.Set();
        var timeout = CommonOptions.TimeoutSeconds(60);
        var command = new Command("infer", "Send one input to a model; prints the answer and where its receipt stands") { model, input, item, wait, receipt, output, local, url, key, config, set, timeout };
        command.SetAction(async (parsed, cancellation) =>
        {
            var items = InputFile.Read(parsed.GetValue(input)!);
            var index = parsed.GetValue(item);
            if (index < 0 || index >= items.Count) throw new FormatException($"--item {index}: the input file has {items.Count} entries");
            await using var session = await InferSession.Open(parsed.GetValue(local), parsed.GetValue(url)!, parsed.GetValue(key), parsed.GetValue(config), parsed.GetValue(set)!, cancellation);
            return await Run(session.Client, parsed.GetValue(model)!, items[index], parsed.GetValue(wait)!, TimeSpan.FromSeconds(parsed.GetValue(timeout)), parsed.GetValue(receipt), parsed.GetValue(output), cancellation);
        });
        return command;
    }

    private static async Task<int> Run(HostClient client, string model, InputItem item, string wait, TimeSpan timeout, string? file, string? output, CancellationToken cancellation)
    {
        var answer = await client.Infer(model, item.Body, wait, timeout, cancellation);
        return await Show(client, answer, wait, file, output, cancellation);
    }

    /// <summary>Prints an answer and where its receipt stands, and writes the files asked for.</summary>
    internal static async Task<int> Show(HostClient client, HostAnswer answer, string wait, string? file, string? output, CancellationToken cancellation)
    {
        Console.WriteLine(AnswerText.Outputs(answer.Body.RootElement));
        if (output is not null && answer.Released) await AnswerFiles.Write(output, answer.Body, cancellation);
        if (answer.Receipt is null)
        {
            if (answer.Released) return ExitCodes.Ok;
            Console.Error.WriteLine($"the receipt {answer.ReceiptId} is not {wait} yet; the host keeps the answer under /v1/answers/{answer.ReceiptId} for an hour: og answer {answer.ReceiptId}");
            return ExitCodes.NotYet;
        }

        var bundle = new ReceiptBundle { Receipt = answer.Receipt };
        try
        {
            using var status = await client.Status(answer.ReceiptId!, cancellation);
            Console.WriteLine($"receipt {answer.ReceiptId}  {AnswerText.Stage(status.RootElement)}");
            if (file is not null) bundle = await client.Bundle(answer.Receipt, cancellation);
        }
        catch (HostRefusedException refused) when (refused.Status == HttpStatusCode.NotFound)
        {
            // Without a chain a host keeps no receipts: what the caller holds is all there is of this one.
            Console.WriteLine($"receipt {answer.ReceiptId}  a signed promise: the host does not settle it");
        }

        if (file is not null) await ReceiptFiles.Write(file, bundle, cancellation);
        return ExitCodes.Ok;
    }
}

/// <summary>What <c>og</c> exits with.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>Something does not hold: a receipt was refused, a check failed.</summary>
    public const int Failed = 1;

    /// <summary>The command line, a file or the configuration is wrong.</summary>
    public const int Usage = 2;

    /// <summary>A wait ran out; nothing is lost.</summary>
    public const int NotYet = 3;

    /// <summary>The host could not be reached or refused.</summary>
    public const int Unavailable = 4;
}

/// <summary>Receipt files: a bundle (<c>.ogb</c>), or a bare receipt.</summary>
internal static class ReceiptFiles
{
    public static async Task Write(string file, ReceiptBundle bundle, CancellationToken cancellation)
    {
        // A reader never sees half a file: written beside, then renamed over.
        var temporary = file + ".tmp";
        await File.WriteAllBytesAsync(temporary, bundle.Encode(), cancellation);
        File.Move(temporary, file, overwrite: true);
        Console.WriteLine($"wrote {file}");
    }

    /// <exception cref="FormatException">The file is neither a bundle nor a receipt; the message names it.</exception>
    public static ReceiptBundle Read(string file)
    {
        var info = new FileInfo(file);
        if (!info.Exists) throw new FormatException($"receipt file '{file}' does not exist");
        if (info.Length > ReceiptBundle.MaxSize) throw new FormatException($"receipt file '{file}' is larger than {ReceiptBundle.MaxSize} bytes");
        var bytes = File.ReadAllBytes(file);
        try
        {
            return bytes.AsSpan().StartsWith("OGE receipt v1"u8)
                ? new ReceiptBundle { Receipt = Receipt.Decode(bytes) }
                : ReceiptBundle.Decode(bytes);
        }
        catch (FormatException wrong)
        {
            throw new FormatException($"'{file}' is neither a receipt nor a bundle: {wrong.Message}", wrong);
        }
    }
}
