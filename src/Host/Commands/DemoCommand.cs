using System.CommandLine;
using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Client;
using OpenGradient.Engine.Host.Protocol;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og demo</c>: sends shipped inputs and shows the receipts walk to final.</summary>
internal static class DemoCommand
{
    // A paragraph: enough to see that it is English.
    private const int ChatTokens = 60;

    private sealed record Sent(string? ReceiptId, Receipt? Receipt);

    public static Command Create()
    {
        var inputs = new Option<string[]>("--input") { Description = "MODEL=FILE or MODEL=FILE:COUNT; may be repeated", DefaultValueFactory = _ => [] };
        var chats = new Option<string[]>("--chat") { Description = "MODEL=PROMPT: asks a language model; may be repeated", DefaultValueFactory = _ => [] };
        var receipts = new Option<string?>("--receipts") { Description = "Folder that gets every receipt with its proof" };
        var url = CommonOptions.Url();
        var key = CommonOptions.ApiKeyFile();
        var timeout = CommonOptions.TimeoutSeconds(60);
        var command = new Command("demo", "Send shipped inputs to a running host and watch their receipts become final") { inputs, chats, receipts, url, key, timeout };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = HostClient.Connect(parsed.GetValue(url)!, parsed.GetValue(key));
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var seconds = parsed.GetValue(timeout);
            if (parsed.GetValue(inputs)!.Length + parsed.GetValue(chats)!.Length == 0) throw new FormatException("nothing to send: --input or --chat");
            var sent = await SendAll(client, parsed.GetValue(inputs)!, cancellation);
            foreach (var chat in parsed.GetValue(chats)!) sent.Add(await Ask(client, chat, cancellation));
            limit.CancelAfter(TimeSpan.FromSeconds(seconds));
            return await Watch(client, sent, parsed.GetValue(receipts), seconds, limit.Token, cancellation);
        });
        return command;
    }

    private static async Task<List<Sent>> SendAll(HostClient client, string[] inputs, CancellationToken cancellation)
    {
        var sent = new List<Sent>();
        foreach (var (model, items) in inputs.Select(Parse))
        {
            // Sent together, so that they share backend calls as they would under load.
            var answers = await Task.WhenAll(items.Select(item => client.Infer(model, item.Body, null, null, cancellation)));
            foreach (var (answer, item) in answers.Zip(items))
            {
                Console.WriteLine($"{AnswerText.Outputs(answer.Body.RootElement)}{(string.IsNullOrEmpty(item.Note) ? "" : $"  ({item.Note})")}");
                Console.WriteLine($"  receipt {answer.ReceiptId ?? "none: the host runs without receipts"}");
                sent.Add(new Sent(answer.ReceiptId, answer.Receipt));
            }
        }

        return sent;
    }

    private static async Task<Sent> Ask(HostClient client, string chat, CancellationToken cancellation)
    {
        var equals = chat.IndexOf('=');
        if (equals < 1) throw new FormatException($"--chat {chat}: expected MODEL=PROMPT");
        var (model, prompt) = (chat[..equals], chat[(equals + 1)..]);
        var body = Answers.Render(json =>
        {
            json.WriteStartObject();
            json.WriteString("model", model);
            json.WriteStartArray("messages");
            ChatCommand.WriteMessage(json, "user", prompt);
            json.WriteEndArray();
            json.WriteNumber("max_tokens", ChatTokens);
            json.WriteNumber("temperature", 0);
            json.WriteBoolean("stream", true);
            json.WriteEndObject();
        });
        Console.Write($"{model}: {prompt} ");
        var (answer, cut) = await GenerationSession.Read(client, "v1/chat/completions", body.WrittenMemory, null, TimeSpan.Zero, cancellation);
        if (cut is not null) throw new IOException(cut);
        Console.WriteLine($"\n  receipt {answer.ReceiptId ?? "none: the host runs without receipts"}");
        return new Sent(answer.ReceiptId, answer.Receipt);
    }

    private static async Task<int> Watch(HostClient client, List<Sent> sent, string? folder, double seconds, CancellationToken limit, CancellationToken cancellation)
    {
        Console.WriteLine($"\n{sent.Count} answers are out; their proofs follow:");
        var shown = "";
        while (true)
        {
            var stages = new SortedDictionary<string, int>(StageOrder.Instance);
            var reasons = new List<string>();
            foreach (var receipt in sent)
            {
                using var status = await client.Status(receipt.ReceiptId!, cancellation);
                var stage = AnswerText.Stage(status.RootElement);
                stages[stage] = stages.GetValueOrDefault(stage) + 1;
                if (stage == "quarantined") reasons.Add($"receipt {receipt.ReceiptId}: {status.RootElement.GetProperty("reasons").GetRawText()}");
            }

            var line = string.Join("  ", stages.Select(entry => $"{entry.Key} {entry.Value}"));
            if (line != shown) Console.WriteLine($"  {line}");
            shown = line;
            if (reasons.Count > 0) return Fail(string.Join('\n', reasons));
            if (stages.Count == 1 && stages.ContainsKey("final")) break;
            if (limit.IsCancellationRequested) return Fail($"not every receipt is final after {seconds} s: {line}. {await Condition(client, cancellation)}");
            await Task.Delay(TimeSpan.FromMilliseconds(200), cancellation);
        }

        if (folder is not null) await SaveAll(client, sent, folder, cancellation);
        using var overview = await client.Get("v1/overview", cancellation);
        var gap = overview.RootElement.GetProperty("gap").GetProperty("final");
        Console.WriteLine($"every receipt is final; trust gap p50 {gap.GetProperty("p50")} ms, p99 {gap.GetProperty("p99")} ms");
        return ExitCodes.Ok;
    }

    private static async Task SaveAll(HostClient client, List<Sent> sent, string folder, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        foreach (var receipt in sent)
        {
            var bundle = await client.Bundle(receipt.Receipt!, cancellation);
            await File.WriteAllBytesAsync(Path.Combine(folder, $"{receipt.ReceiptId}.ogb"), bundle.Encode(), cancellation);
        }

        Console.WriteLine($"receipts with their proofs are in {folder}");
    }

    private static async Task<string> Condition(HostClient client, CancellationToken cancellation)
    {
        using var overview = await client.Get("v1/overview", cancellation);
        var chain = overview.RootElement.GetProperty("chain");
        return chain.ValueKind == JsonValueKind.Null ? "The host has no chain." : $"Chain: {chain.GetProperty("condition")} {chain.GetProperty("detail")}";
    }

    private static int Fail(string reason)
    {
        Console.Error.WriteLine(reason);
        return ExitCodes.Failed;
    }

    private static (string Model, IReadOnlyList<InputItem> Items) Parse(string input)
    {
        var equals = input.IndexOf('=');
        if (equals < 1) throw new FormatException($"--input {input}: expected MODEL=FILE or MODEL=FILE:COUNT");
        var file = input[(equals + 1)..];
        var count = int.MaxValue;
        var colon = file.LastIndexOf(':');
        if (colon > 0 && int.TryParse(file[(colon + 1)..], out var given)) (file, count) = (file[..colon], given);
        return (input[..equals], [.. InputFile.Read(file).Take(count)]);
    }

    private sealed class StageOrder : IComparer<string>
    {
        public static readonly StageOrder Instance = new();
        private static readonly string[] Order = ["executed", "durable", "verified", "anchored", "final", "quarantined", "reopened"];

        public int Compare(string? x, string? y) => Array.IndexOf(Order, x).CompareTo(Array.IndexOf(Order, y));
    }
}
