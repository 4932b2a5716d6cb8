using System.Text.Json;

namespace OpenGradient.Engine.Settlement.Evm;

public enum RpcStatus
{
    /// <summary>The node answered with a result.</summary>
    Ok,

    /// <summary>The node answered with an error, or refused the request before executing it (HTTP 429).</summary>
    Error,

    /// <summary>No usable answer: the request may have been executed.</summary>
    Unknown,
}

/// <summary>What became of one JSON-RPC request.</summary>
/// <param name="Result">The <c>result</c> member when <see cref="Status"/> is <see cref="RpcStatus.Ok"/>.</param>
/// <param name="Code">JSON-RPC error code, HTTP status, or 0.</param>
/// <param name="Message">Error text for people.</param>
/// <param name="ErrorData">The error's <c>data</c> when it is a string: a revert's bytes in hexadecimal.</param>
public readonly record struct RpcReply(RpcStatus Status, JsonElement Result, int Code, string? Message, string? ErrorData = null)
{
    public bool IsOk => Status == RpcStatus.Ok;

    public string? Text => IsOk ? TextOf(Result) : null;

    /// <summary>A member's text; null when it is none, or holds half a surrogate pair, which JSON can write and .NET refuses to read.</summary>
    public static string? TextOf(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.String) return null;
        try
        {
            return element.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    public static RpcReply Unknown(string message) => new(RpcStatus.Unknown, default, 0, message);
}

/// <summary>One request: method and its parameters as JSON text, written by this room alone.</summary>
public readonly record struct RpcRequest(string Method, string Parameters);
