using System.Net;
using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Hosting.Tests.Attesting;

/// <summary>A node that knows some blocks and some registrations.</summary>
internal sealed class StubNode : HttpMessageHandler
{
    public const ulong ChainId = 7;

    public static readonly EvmAddress Contract = EvmAddress.Parse("0x00112233445566778899aabbccddeeff00112233");

    public ulong Serves { get; init; } = ChainId;

    public bool IsDown { get; init; }

    /// <summary>Times by number; the last is the newest.</summary>
    public SortedDictionary<ulong, long> Blocks { get; init; } = [];

    /// <summary>Blocks that are known by their hash and not on the chain any more.</summary>
    public Dictionary<Hash256, ulong> Orphans { get; init; } = [];

    public List<(ulong Block, Hash256 Signer, Hash256 Digest, Hash256 Epoch)> Registered { get; init; } = [];

    public Hash256 LogId { get; init; }

    public int Calls { get; private set; }

    public static Hash256 HashOf(ulong block) => Hash256.Sha256(Encoding.ASCII.GetBytes($"block {block}"));

    public RpcClient Client() => new(new HttpClient(this), new RpcOptions { Endpoint = new Uri("http://node.invalid/") });

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (IsDown) return new HttpResponseMessage(HttpStatusCode.BadGateway);
        using var batch = JsonDocument.Parse(await request.Content!.ReadAsByteArrayAsync(cancellationToken));
        var answers = batch.RootElement.EnumerateArray().Select(one =>
            $"{{\"jsonrpc\":\"2.0\",\"id\":{one.GetProperty("id").GetInt64()},\"result\":{Answer(one.GetProperty("method").GetString()!, one.GetProperty("params"))}}}");
        return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent($"[{string.Join(',', answers)}]") };
    }

    private string Answer(string method, JsonElement parameters)
    {
        Calls++;
        switch (method)
        {
            case "eth_chainId":
                return $"\"0x{Serves:x}\"";
            case "eth_getBlockByHash":
                var hash = Hash256.TryParse(parameters[0].GetString().AsSpan(2), out var asked) ? asked : default;
                if (Orphans.TryGetValue(hash, out var orphan)) return Block(orphan, hash, Blocks[orphan]);
                return Blocks.Keys.Where(number => HashOf(number) == hash).Select(number => Block(number, hash, Blocks[number])).FirstOrDefault("null");
            case "eth_getBlockByNumber":
                var text = parameters[0].GetString()!;
                var wanted = text == "latest" ? Blocks.Keys.Last() : Convert.ToUInt64(text, 16);
                return Blocks.TryGetValue(wanted, out var time) ? Block(wanted, HashOf(wanted), time) : "null";
            case "eth_getLogs":
                var from = Convert.ToUInt64(parameters[0].GetProperty("fromBlock").GetString(), 16);
                return $"[{string.Join(',', Registered.Where(entry => entry.Block >= from).Select(Event))}]";
            default:
                return "null";
        }
    }

    private static string Block(ulong number, Hash256 hash, long time) => $"{{\"number\":\"0x{number:x}\",\"hash\":\"0x{hash}\",\"timestamp\":\"0x{time:x}\"}}";

    private string Event((ulong Block, Hash256 Signer, Hash256 Digest, Hash256 Epoch) entry) =>
        $$"""
        {"address":"{{Contract}}","data":"0x{{entry.Digest}}{{entry.Epoch}}{{default(Hash256)}}","topics":["0x{{LedgerAbi.KeyRegisteredTopic}}","0x{{LogId}}","0x{{entry.Signer}}","0x{{default(Hash256)}}"],
         "transactionHash":"0x{{default(Hash256)}}","blockHash":"0x{{HashOf(entry.Block)}}","blockNumber":"0x{{entry.Block:x}}","logIndex":"0x0"}
        """;
}
