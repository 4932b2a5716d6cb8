using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Benchmarks.Settlement.Growth;

/// <summary>
/// Stands in for a node with the ledger contract, inside the process: every look at it is a new block, and a transaction
/// is in the block after the one in which it was sent. It checks nothing; what it stands in for is not what is measured.
/// </summary>
public sealed class MemoryLedger(ulong chainId, EvmAddress contract) : HttpMessageHandler
{
    private const int KeptReceipts = 256;

    private static readonly byte[] Registration = LedgerAbi.RegisterKey(default, default, default, default, default)[..4];

    private readonly Lock _gate = new(); // guards what follows
    private readonly Dictionary<string, string> _receipts = [];
    private readonly Queue<string> _order = new();
    private Hash256 _head;
    private string _activeKey = new('0', 64);
    private ulong _block = 1;
    private ulong _nonce;

    /// <summary>The log's head; zero before a key is registered.</summary>
    public Hash256 Head
    {
        get { lock (_gate) return _head; }
    }

    /// <summary>Anchors taken.</summary>
    public long Anchors { get; private set; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var asked = JsonDocument.Parse(await request.Content!.ReadAsByteArrayAsync(cancellationToken));
        var answer = new StringBuilder("[");
        lock (_gate)
        {
            foreach (var call in asked.RootElement.EnumerateArray())
            {
                if (answer.Length > 1) answer.Append(',');
                answer.Append(CultureInfo.InvariantCulture, $"{{\"jsonrpc\":\"2.0\",\"id\":{call.GetProperty("id").GetInt64()},\"result\":{Answer(call.GetProperty("method").GetString()!, call.GetProperty("params"))}}}");
            }
        }

        return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(answer.Append(']').ToString(), Encoding.UTF8, "application/json") };
    }

    private string Answer(string method, JsonElement parameters) => method switch
    {
        "eth_chainId" => Number(chainId),
        "eth_getBlockByNumber" => $"{{\"number\":{Number(++_block)},\"hash\":\"{BlockHash(_block)}\",\"baseFeePerGas\":\"0x1\"}}",
        "eth_getTransactionCount" => Number(_nonce),
        "eth_getBalance" => "\"0x56bc75e2d63100000\"",
        "eth_call" => $"\"0x{_head}{_activeKey}\"",
        "eth_estimateGas" => Number(100_000),
        "eth_getTransactionReceipt" => _receipts.GetValueOrDefault(parameters[0].GetString()!, "null"),
        "eth_getLogs" => "[]",
        "eth_sendRawTransaction" => Take(Convert.FromHexString(parameters[0].GetString()![2..])),
        _ => throw new NotSupportedException(method),
    };

    private string Take(byte[] raw)
    {
        var hash = $"0x{Eip1559Transaction.HashOf(raw)}";
        if (_receipts.ContainsKey(hash)) return $"\"{hash}\"";
        var call = CallOf(raw);
        var words = call[4..];
        var logId = new Hash256(words[..32]);
        Hash256[] topics;
        byte[] data;
        if (!call[..4].SequenceEqual(Registration)) // anchor(logId, keyAndSize, root, r, vs)
        {
            var size = words.Slice(56, 8);
            var root = new Hash256(words.Slice(64, 32));
            (topics, data) = ([logId], [.. size, .. root.Bytes]);
            _head = LogHead.Pack(root, System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(size));
            Anchors++;
        }
        else // registerKey(logId, signer, …)
        {
            var signer = new Hash256(words.Slice(32, 32));
            _activeKey = signer.ToString();
            if (_head.IsZero) _head = LogHead.Empty;
            (topics, data) = ([LedgerAbi.KeyRegisteredTopic, logId, signer], []);
        }

        _nonce++;
        var block = _block + 1;
        _receipts[hash] = $"{{\"status\":\"0x1\",\"transactionHash\":\"{hash}\",\"blockNumber\":{Number(block)},\"blockHash\":\"{BlockHash(block)}\",\"logs\":[{{\"address\":\"{contract}\","
            + $"\"data\":\"0x{Convert.ToHexStringLower(data)}\",\"topics\":[{string.Join(',', topics.Select(topic => $"\"0x{topic}\""))}],"
            + $"\"transactionHash\":\"{hash}\",\"blockHash\":\"{BlockHash(block)}\",\"blockNumber\":{Number(block)},\"logIndex\":\"0x0\"}}]}}";
        _order.Enqueue(hash);
        if (_order.Count > KeptReceipts) _receipts.Remove(_order.Dequeue());
        return $"\"{hash}\"";
    }

    // The eighth field of a type 2 transaction. All fields but the list around them and the data itself are short.
    private static ReadOnlySpan<byte> CallOf(ReadOnlySpan<byte> raw)
    {
        var rest = raw[1..];
        rest = rest[Header(rest)..];
        for (var field = 0; ; field++)
        {
            var length = rest[0] < 0x80 ? 0 : rest[0] < 0xb8 ? rest[0] - 0x80 : LongLength(rest);
            var header = Header(rest);
            if (field == 7) return rest.Slice(header, length);
            rest = rest[(header + length)..];
        }
    }

    private static int Header(ReadOnlySpan<byte> item) => item[0] switch
    {
        >= 0xf8 => 1 + item[0] - 0xf7,
        >= 0xb8 and < 0xc0 => 1 + item[0] - 0xb7,
        _ => 1,
    };

    private static int LongLength(ReadOnlySpan<byte> item)
    {
        var length = 0;
        foreach (var digit in item.Slice(1, item[0] - 0xb7)) length = (length << 8) | digit;
        return length;
    }

    private static string Number(ulong value) => $"\"0x{value:x}\"";

    private static string BlockHash(ulong number) => $"0x{Hash256.Sha256(BitConverter.GetBytes(number))}";
}
