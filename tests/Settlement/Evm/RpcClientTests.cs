using System.Net;
using System.Text;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Settlement.Tests.Evm;

public sealed class RpcClientTests
{
    private static readonly RpcRequest[] Two = [new("eth_a", "[]"), new("eth_b", "[1]")];

    [Fact]
    public async Task Batch_RepliesInAnotherOrder_AreMatchedById()
    {
        var replies = await Call(_ => Text("""[{"id":1,"result":"second"},{"id":0,"result":"first"}]"""));
        Assert.Equal(["first", "second"], replies.Select(reply => reply.Text));
    }

    [Fact]
    public async Task Batch_IdMissing_IsUnknown()
    {
        var replies = await Call(_ => Text("""[{"id":0,"error":{"code":-32000,"message":"nonce too low","data":"0x12"}},{"id":7,"result":"0x1"}]"""));
        Assert.Equal((RpcStatus.Error, -32000, "nonce too low", "0x12"), (replies[0].Status, replies[0].Code, replies[0].Message, replies[0].ErrorData));
        Assert.Equal(RpcStatus.Unknown, replies[1].Status);
    }

    [Theory]
    [InlineData(HttpStatusCode.TooManyRequests, RpcStatus.Error)]
    [InlineData(HttpStatusCode.BadGateway, RpcStatus.Unknown)]
    [InlineData(HttpStatusCode.Unauthorized, RpcStatus.Unknown)]
    public async Task Batch_HttpFailure_HasTheRightClass(HttpStatusCode status, RpcStatus expected)
    {
        var replies = await Call(_ => new HttpResponseMessage(status));
        Assert.All(replies, reply => Assert.Equal(expected, reply.Status));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[")]
    [InlineData("\"text\"")]
    [InlineData("{\"error\":{\"code\":1,\"message\":\"batches are off\"}}")]
    [InlineData("[{\"id\":0},{\"id\":1}]")]
    [InlineData("[{\"id\":\"0\",\"result\":1},{\"id\":1.5,\"result\":1}]")]
    public async Task Batch_Rubbish_IsUnknown(string body) => Assert.All(await Call(_ => Text(body)), reply => Assert.Equal(RpcStatus.Unknown, reply.Status));

    [Theory]
    [InlineData("""[{"id":0,"error":{"code":"-32000","message":"limited"}},{"id":1,"error":{"code":-1e99,"message":"limited"}}]""")]
    [InlineData("""[{"id":0,"error":{"code":1,"message":"\ud800"}},{"id":1,"error":{"code":1,"message":"x","data":"\ud800"}}]""")]
    [InlineData("""[{"id":0,"result":"\ud800"},{"id":1,"result":{"\ud800":1}}]""")]
    public async Task Batch_OddMembers_AreNoException(string body) => Assert.All(await Call(_ => Text(body)), reply => Assert.Null(reply.Text));

    [Fact]
    public async Task Batch_EndlessAnswer_IsCut()
    {
        var replies = await Call(_ => Text(new string(' ', 3000) + "[]"));
        Assert.All(replies, reply => Assert.Contains("more than 2048 bytes", reply.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Batch_SlowNode_IsUnknownAfterTheTimeout()
    {
        using var http = new HttpClient(new Handler(async (_, cancel) =>
        {
            await Task.Delay(Timeout.Infinite, cancel);
            return Text("[]");
        }));
        var client = new RpcClient(http, Options with { Timeout = TimeSpan.FromMilliseconds(50) });
        var replies = await client.CallAsync(Two, CancellationToken.None);
        Assert.All(replies, reply => Assert.Contains("no answer within", reply.Message, StringComparison.Ordinal));
    }

    private static RpcOptions Options => new() { Endpoint = new Uri("http://127.0.0.1:1"), MaxResponseBytes = 2048 };

    private static async Task<RpcReply[]> Call(Func<HttpRequestMessage, HttpResponseMessage> answer)
    {
        using var http = new HttpClient(new Handler((request, _) => Task.FromResult(answer(request))));
        return await new RpcClient(http, Options).CallAsync(Two, CancellationToken.None);
    }

    private static HttpResponseMessage Text(string body) => new(HttpStatusCode.OK) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };

    private sealed class Handler(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => answer(request, cancellationToken);
    }
}
