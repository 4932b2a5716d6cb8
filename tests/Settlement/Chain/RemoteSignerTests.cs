using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Chain;

/// <summary>A key that is held elsewhere, asked over HTTP.</summary>
public sealed class RemoteSignerTests : IAsyncDisposable
{
    private static readonly byte[] Payload = new Eip1559Transaction(1, 2, 3, 4, 5, default(EvmAddress), 0, new byte[] { 1, 2, 3 }).SigningPayload();

    private readonly Secp256k1 _key = Secp256k1.FromSeed("held elsewhere");
    private readonly SignerServer _server;
    private readonly HttpClient _http = new();

    public RemoteSignerTests() => _server = new SignerServer(_key);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task SignAsync_SignerThatHoldsTheKey_GivesItsSignature()
    {
        var signer = Signer();
        Assert.Equal(_key.Address, signer.Address);
        Assert.Equal(_key.SignDigest(Keccak256.Hash(Payload)), await signer.SignAsync(Payload, default));
        Assert.Equal($"POST /api/v1/eth1/sign/0x{Convert.ToHexStringLower(_key.PublicKey.AsSpan(1))} {{\"data\":\"0x{Convert.ToHexStringLower(Payload)}\"}}", Assert.Single(_server.Requests));
        Assert.Throws<NotSupportedException>(() => signer.SignDigest(default));
    }

    [Fact]
    public async Task SignAsync_AnswerInQuotesOrWithParity_IsRead()
    {
        _server.Bend = right => (200, $" \"{right}\"\n");
        var expected = await Signer().SignAsync(Payload, default);
        _server.Bend = right => (200, right[..^2] + (right.EndsWith("1b", StringComparison.Ordinal) ? "00" : "01"));
        Assert.Equal(expected, await Signer().SignAsync(Payload, default));
    }

    [Fact]
    public async Task SignAsync_WrongAnswers_AreRefused()
    {
        var other = Secp256k1.FromSeed("another key");
        string Hex(byte[] signature) => "0x" + Convert.ToHexStringLower([.. signature[..64], (byte)(signature[64] + 27)]);
        (string Answer, string Says)[] wrong =
        [
            ("", "65 bytes"), ("0x", "65 bytes"), ("no", "65 bytes"), ("0x" + new string('0', 128), "65 bytes"), ("0x" + new string('0', 130), "not a signature by the key"),
            (Hex(other.SignDigest(Keccak256.Hash(Payload))), "not a signature by the key"), (Hex(_key.SignDigest(Keccak256.Hash([1]))), "not a signature by the key"),
            (new string('0', 5000), "longer than"),
        ];
        foreach (var (answer, says) in wrong)
        {
            _server.Bend = _ => (200, answer);
            var refused = await Assert.ThrowsAsync<TransactionSigningException>(() => Signer().SignAsync(Payload, default).AsTask());
            Assert.Contains(says, refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task SignAsync_SignerRefusesOrIsAway_SaysSo()
    {
        foreach (var (status, says) in new[] { (404, "does not hold the key"), (500, "HTTP 500"), (403, "HTTP 403") })
        {
            _server.Bend = _ => (status, "");
            Assert.Contains(says, (await Assert.ThrowsAsync<TransactionSigningException>(() => Signer().SignAsync(Payload, default).AsTask())).Message, StringComparison.Ordinal);
        }

        var nobody = new RemoteSigner(_http, new RemoteSignerOptions { Endpoint = new Uri("http://127.0.0.1:1"), PublicKey = _key.PublicKey.AsMemory(1) }, new RecoveringVerifier());
        Assert.Contains("cannot be reached", (await Assert.ThrowsAsync<TransactionSigningException>(() => nobody.SignAsync(Payload, default).AsTask())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SignAsync_SignerHangs_TimesOut()
    {
        _server.Hold = new();
        var failure = await Assert.ThrowsAsync<TransactionSigningException>(() => Signer(TimeSpan.FromMilliseconds(200)).SignAsync(Payload, default).AsTask());
        Assert.Contains("does not answer within", failure.Message, StringComparison.Ordinal);
        using var gone = new CancellationTokenSource();
        var asked = Signer().SignAsync(Payload, gone.Token).AsTask();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
    }

    [AnvilFact]
    public async Task Settler_WithARemoteSigner_HoldsByNameWhileItIsAwayAndSettles()
    {
        var node = new Anvil();
        await node.InitializeAsync();
        try
        {
            await using var server = new SignerServer(node.Account);
            using var folder = new TemporaryFolder();
            using var engine = new Doubles.Engine(node, nameof(Settler_WithARemoteSigner_HoldsByNameWhileItIsAwayAndSettles), new LinuxDisk(), folder.Path)
            {
                Account = new RemoteSigner(_http, new RemoteSignerOptions { Endpoint = server.Endpoint, PublicKey = node.Account.PublicKey.AsMemory(1) }, new RecoveringVerifier()),
            };
            server.Bend = _ => (503, "");
            engine.Start();
            var batch = await engine.Accept();
            for (var i = 0; i < 3; i++) await engine.Tick();
            Assert.Equal(ConditionKind.SignerUnavailable, Assert.Single(engine.Service.Conditions).Kind); // the fault bit
            Assert.Empty(engine.Faults.Sent);

            server.Bend = right => (200, right);
            await engine.RunUntilFinal(batch);
            Assert.Empty(engine.Service.Conditions);
            await engine.Audit(batch);
        }
        finally
        {
            await node.DisposeAsync();
        }
    }

    private RemoteSigner Signer(TimeSpan? timeout = null) => new(
        _http, new RemoteSignerOptions { Endpoint = _server.Endpoint, PublicKey = _key.PublicKey.AsMemory(1), Timeout = timeout ?? TimeSpan.FromSeconds(30) }, new RecoveringVerifier());
}
