using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Settlement.Chain;

/// <summary>Reads a node's JSON. Everything is null when a member is missing or malformed: a node is a remote peer.</summary>
internal static class ChainJson
{
    public static ulong? Number(JsonElement element, string name) =>
        Hex.TryQuantity(Text(element, name), out ulong value) ? value : null;

    public static Hash256? Hash(JsonElement element, string name) => Hex.TryHash(Text(element, name), out var hash) ? hash : null;

    public static TransactionReceipt? Receipt(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object) return null;
        if (Number(element, "status") is not { } status || Number(element, "blockNumber") is not { } number) return null;
        if (Hash(element, "blockHash") is not { } block || Hash(element, "transactionHash") is not { } transaction) return null;
        if (!element.TryGetProperty("logs", out var logs) || Events(logs) is not { } events) return null;
        EvmAddress? created = EvmAddress.TryParse(Text(element, "contractAddress"), out var address) ? address : null;
        return new(status == 1, transaction, number, block, created, events, Paid(element));
    }

    // Gas at its price; and a rollup's fee for the data, which it charges beside the gas.
    private static UInt128? Paid(JsonElement receipt)
    {
        if (Number(receipt, "gasUsed") is not { } gas || !Hex.TryQuantity(Text(receipt, "effectiveGasPrice"), out UInt128 price) || price > ulong.MaxValue) return null;
        var data = Hex.TryQuantity(Text(receipt, "l1Fee"), out UInt128 fee) && fee <= UInt128.MaxValue >> 1 ? fee : 0;
        return (gas * price) + data;
    }

    public static List<ChainEvent>? Events(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Array) return null;
        var events = new List<ChainEvent>();
        foreach (var item in element.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object || Event(item) is not { } parsed) return null;
            events.Add(parsed);
        }

        return events;
    }

    private static ChainEvent? Event(JsonElement item)
    {
        if (!EvmAddress.TryParse(Text(item, "address"), out var contract) || Hex.TryData(Text(item, "data")) is not { } data) return null;
        if (!item.TryGetProperty("topics", out var list) || list.ValueKind != JsonValueKind.Array) return null;
        var topics = new List<Hash256>();
        foreach (var topic in list.EnumerateArray())
        {
            if (!Hex.TryHash(RpcReply.TextOf(topic), out var hash)) return null;
            topics.Add(hash);
        }

        if (Hash(item, "transactionHash") is not { } transaction || Hash(item, "blockHash") is not { } block) return null;
        if (Number(item, "blockNumber") is not { } number || Number(item, "logIndex") is not { } index || index > uint.MaxValue) return null;
        return new(contract, [.. topics], data, new(transaction, number, block, (uint)index));
    }

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? RpcReply.TextOf(value) : null;
}
