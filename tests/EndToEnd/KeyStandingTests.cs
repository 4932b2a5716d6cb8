using System.Text.Json;
using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>What the contract says of a key counts, also for receipts that were final before it said so.</summary>
public sealed class KeyStandingTests
{
    [ChainFact]
    public async Task Verify_KeyRevokedAfterwards_IsRejected()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        await using var host = await installation.Serve();
        var receipt = (await host.Infer("digits", Inputs.Digit(0), "final")).Expect(200).Receipt;
        var bundle = await host.Bundle(receipt);
        Assert.Empty(await Verifier.Check(bundle, installation.TrustPolicy, installation.Chain.Rpc));

        await Revoke(installation, ReceiptBundle.Decode(bundle));

        var failures = await Verifier.Check(bundle, installation.TrustPolicy, installation.Chain.Rpc);
        Assert.Equal([VerificationReason.KeyRevoked], failures.Select(failure => failure.Reason));
    }

    [ChainFact]
    public async Task Verify_EpochReplacedByARestart_StillHolds()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        byte[] bundle;
        await using (var first = await installation.Serve())
            bundle = await first.Bundle((await first.Infer("digits", Inputs.Digit(1), "final")).Expect(200).Receipt);
        await using var second = await installation.Serve();
        var later = await second.Bundle((await second.Infer("digits", Inputs.Digit(2), "final")).Expect(200).Receipt);

        Assert.NotEqual(ReceiptBundle.Decode(bundle).Evidence!.Epoch, ReceiptBundle.Decode(later).Evidence!.Epoch);
        Assert.Empty(await Verifier.Check(bundle, installation.TrustPolicy, installation.Chain.Rpc));
        Assert.Empty(await Verifier.Check(later, installation.TrustPolicy, installation.Chain.Rpc));
    }

    [ChainFact]
    public async Task Serve_FolderOfAnotherRoot_IsRefusedBeforeAnythingIsWritten()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        string id;
        await using (var host = await installation.Serve())
        {
            (await host.Infer("digits", Inputs.Digit(2), "anchored")).Expect(200);
            id = (await host.Infer("digits", Inputs.Digit(3), "durable")).Expect(200).Receipt.Id.ToString();
        }

        var root = Path.Combine(installation.Root, "keys", "software-root.key");
        File.Move(root, root + ".kept");

        var refused = await Og.Run("serve", "--config", installation.Config);

        refused.Expect(Og.Usage);
        Assert.Contains("does not fit this configuration", refused.Error, StringComparison.Ordinal);
        File.Move(root + ".kept", root, overwrite: true);
        await using var again = await installation.Serve();
        await again.UntilStage(id, "final");
    }

    [ChainFact]
    public async Task Evidence_ForAChallenge_BindsItOverTheSameKey()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        await using var host = await installation.Serve();

        var own = EpochBinding.Decode(Evidence.Decode((await host.Get("v1/evidence")).Expect(200).Body).Binding.Span);
        var fresh = EpochBinding.Decode(Evidence.Decode((await host.Get("v1/evidence?nonce=0badc0de")).Expect(200).Body).Binding.Span);

        Assert.Equal([0x0b, 0xad, 0xc0, 0xde], fresh.Nonce.ToArray());
        Assert.Equal(own.SigningKey.ToArray(), fresh.SigningKey.ToArray());
        (await host.Get("v1/evidence?nonce=xyz")).Expect(400);
    }

    [ChainFact]
    public async Task Log_PublishedFiles_AreServedAndNothingElse()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        await using var host = await installation.Serve();
        (await host.Infer("digits", Inputs.Digit(4), "final")).Expect(200);

        var checkpoint = (await host.Get("log/checkpoint")).Expect(200).Body;

        Assert.StartsWith($"opengradient.engine/log/{installation.LogId}\n", System.Text.Encoding.UTF8.GetString(checkpoint), StringComparison.Ordinal);
        foreach (var path in new[] { "log/", "log/../keys/log.key", "log/%2e%2e/keys/log.key", "log/tile/0/../../../og.json", "log/tile/99/999" })
            (await host.Get(path)).Expect(404);
    }

    [ChainFact]
    public async Task Post_FromAPageOfAnotherOrigin_IsRefused()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        await using var host = await installation.Serve();

        var refused = await host.Post("v2/models/digits/infer", new ReadOnlyMemoryContent(Inputs.Digit(0)), ("Origin", "http://example.org"));

        Assert.Contains("another origin", refused.Expect(403).Json.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    // The registrar is the installation's transaction account; anvil signs for it.
    private static async Task Revoke(Installation installation, ReceiptBundle bundle)
    {
        var signer = EvmAddress.OfPublicKey(EpochBinding.Decode(bundle.Evidence!.Binding.Span).SigningKey.Span);
        byte[] call = [.. Keccak256.Hash("revokeKey(bytes32,address,bytes32)"u8).Bytes[..4], .. installation.LogId.Bytes, .. LedgerAbi.Topic(signer).Bytes, .. new byte[32]];
        var contract = installation.TrustPolicy.Contract;
        var registrar = "0x" + (await installation.Chain.Call("eth_call", $"[{{\"to\":\"{contract}\",\"data\":\"0x{Convert.ToHexStringLower(Keccak256.Hash("registrar()"u8).Bytes[..4])}\"}},\"latest\"]")).GetString()![26..];
        await installation.Chain.Call("anvil_impersonateAccount", $"[\"{registrar}\"]");
        var hash = (await installation.Chain.Call("eth_sendTransaction", $"[{{\"from\":\"{registrar}\",\"to\":\"{contract}\",\"data\":\"0x{Convert.ToHexStringLower(call)}\"}}]")).GetString();
        await Eventually.Holds("the key is revoked", async () =>
            (await installation.Chain.Call("eth_getTransactionReceipt", $"[\"{hash}\"]")) is { ValueKind: JsonValueKind.Object } mined && mined.GetProperty("status").GetString() == "0x1");
    }
}
