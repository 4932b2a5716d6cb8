using Microsoft.AspNetCore.Http;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Host.Server;

namespace OpenGradient.Engine.Hosting.Tests;

public sealed class RequestBodyTests
{
    [Fact]
    public async Task Read_LengthDeclaredButNeverSent_TakesNoMemoryForIt()
    {
        const int declared = 1 << 30;
        var context = With(new byte[10], declared);
        var before = GC.GetAllocatedBytesForCurrentThread();

        await Assert.ThrowsAsync<BadRequestException>(() => RequestBody.Read(context, declared));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, declared / 10);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(3_000_000)]
    public async Task Read_WholeBody_GivesItsBytes(int size)
    {
        var body = new byte[size];
        new Random(size).NextBytes(body);

        Assert.Equal(body, (await RequestBody.Read(With(body, size), size)).ToArray());
        Assert.Equal(body, (await RequestBody.Read(With(body, null), size)).ToArray());
    }

    private static DefaultHttpContext With(byte[] body, long? declared)
    {
        var context = new DefaultHttpContext();
        context.Request.Body = new MemoryStream(body);
        context.Request.ContentLength = declared;
        return context;
    }
}
