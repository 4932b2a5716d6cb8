using OpenGradient.Engine.Host.Protocol;

namespace OpenGradient.Engine.Host.Server;

/// <summary>Reads bodies whole, with the cap checked before and while reading.</summary>
public static class RequestBody
{
    // A declared length costs its sender nothing: beyond this, memory is taken as the bytes come.
    private const int TakenAtOnce = 1 << 20;

    /// <exception cref="BodyTooLongException">The body is longer than <paramref name="limit"/>.</exception>
    /// <exception cref="BadRequestException">The body ended early, or is not in the chunks that it says.</exception>
    public static async Task<ReadOnlyMemory<byte>> Read(HttpContext context, long limit)
    {
        try
        {
            return await ReadWhole(context, limit);
        }
        catch (IOException error) when (error is not Microsoft.AspNetCore.Http.BadHttpRequestException)
        {
            // The server has its own exception, with a status, for most of what is malformed, but not for all: a chunk's size that overflows is a plain one.
            throw new BadRequestException("the body is malformed, or ended before its length");
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadWhole(HttpContext context, long limit)
    {
        if (context.Request.ContentLength is { } declared)
        {
            if (declared > limit) throw TooLong(limit);
            if (declared <= TakenAtOnce)
            {
                var body = new byte[declared];
                await context.Request.Body.ReadExactlyAsync(body, context.RequestAborted);
                return body;
            }
        }

        var buffer = new MemoryStream();
        var chunk = new byte[16 * 1024];
        for (int read; (read = await context.Request.Body.ReadAsync(chunk, context.RequestAborted)) > 0;)
        {
            if (buffer.Length + read > limit) throw TooLong(limit);
            buffer.Write(chunk, 0, read);
        }

        if (context.Request.ContentLength is { } announced && announced != buffer.Length) throw new EndOfStreamException("the body ended before its declared length");
        return buffer.GetBuffer().AsMemory(0, (int)buffer.Length);
    }

    private static BodyTooLongException TooLong(long limit) => new(limit);
}

/// <summary>The body is over the operator's cap: 413.</summary>
public sealed class BodyTooLongException(long limit) : Exception($"the body is longer than {limit} bytes");
