using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Chain;

/// <summary>A contract of an earlier release is told from the present one, and from none.</summary>
public sealed class LedgerVersionTests : IAsyncLifetime
{
    private readonly Anvil _node = new();

    public Task InitializeAsync() => _node.InitializeAsync();

    public Task DisposeAsync() => _node.DisposeAsync();

    [AnvilFact]
    public async Task IsLedger_ContractThatLacksACall_IsToldFromThePresentOne()
    {
        var earlier = EvmAddress.Parse("0x00000000000000000000000000000000000000e1");
        await _node.Call("anvil_setCode", $"[\"{earlier}\",\"0x60006000fd\"]"); // reverts whatever it is asked, as a contract does with a call it has not
        Assert.Equal((true, false), await Judge(earlier));
        Assert.Equal((true, true), await Judge(_node.Contract));
        Assert.Equal((true, true), await Judge(EvmAddress.Parse("0x00000000000000000000000000000000000000e2")));
    }

    private async Task<(bool IsOk, bool IsLedger)> Judge(EvmAddress contract)
    {
        var answer = await new EvmChain(_node.Rpc, contract).IsLedgerAsync(Hash256.Zero, CancellationToken.None);
        return (answer.IsOk, answer.Value);
    }
}
