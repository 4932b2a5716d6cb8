using OpenGradient.Engine.EndToEnd.Tests.Running;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary><c>og chain</c> against a real node and a host that meets what it does.</summary>
public sealed class ChainCommandTests
{
    [ChainFact]
    public async Task Admin_HaltAndResume_HoldTheHostByNameAndLetItGoOn()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        await using var host = await installation.Serve();
        (await host.Infer("digits", Inputs.Digit(0), "final")).Expect(200);
        Assert.Contains($"log        {installation.LogId}\n", (await Og.Run("chain", "admin", "show", "--config", installation.Config)).Expect(Og.Ok).Output, StringComparison.Ordinal);

        (await Og.Run("chain", "admin", "halt", "--config", installation.Config)).Expect(Og.Ok);
        Assert.Contains($"log        {installation.LogId}  halted\n", (await Og.Run("chain", "admin", "show", "--config", installation.Config)).Expect(Og.Ok).Output, StringComparison.Ordinal);
        var id = (await host.Infer("digits", Inputs.Digit(1), "durable")).Expect(200).Receipt.Id.ToString();
        await Eventually.Holds("the condition is named", async () => (await host.Http.GetStringAsync(new Uri(host.OperatorUrl + "metrics"))).Contains("LogHalted", StringComparison.Ordinal));

        (await Og.Run("chain", "admin", "resume", "--config", installation.Config)).Expect(Og.Ok);
        await host.UntilStage(id, "final");
    }

    [ChainFact]
    public async Task Admin_PauseRegistrarOfferAndAccept_AreTheOwners()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        (await Og.Run("chain", "admin", "pause", "--config", installation.Config)).Expect(Og.Ok);
        Assert.Contains("paused     yes", await Show(installation), StringComparison.Ordinal);
        (await Og.Run("chain", "admin", "unpause", "--config", installation.Config)).Expect(Og.Ok);
        Assert.Contains("paused     no", await Show(installation), StringComparison.Ordinal);

        const string account = "0x00000000000000000000000000000000000000aa";
        (await Og.Run("chain", "admin", "offer", account, "--config", installation.Config)).Expect(Og.Ok);
        Assert.Contains($"offered to {account}", await Show(installation), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("NotPendingOwner", (await Og.Run("chain", "admin", "accept", "--config", installation.Config)).Expect(Og.Failed).Error, StringComparison.Ordinal);
        (await Og.Run("chain", "admin", "registrar", account, "--config", installation.Config)).Expect(Og.Ok);
        Assert.Contains($"registrar  {account}", await Show(installation), StringComparison.OrdinalIgnoreCase);
    }

    [ChainFact]
    public async Task Admin_ArgumentThatIsNone_IsRefusedByName()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        Assert.Contains("'nonsense' is not an address", (await Og.Run("chain", "admin", "offer", "nonsense", "--config", installation.Config)).Expect(Og.Usage).Error, StringComparison.Ordinal);
        Assert.Contains("'nonsense' is not a log's identity", (await Og.Run("chain", "admin", "halt", "--log", "nonsense", "--config", installation.Config)).Expect(Og.Usage).Error, StringComparison.Ordinal);
        Assert.Contains("UnknownLog", (await Og.Run("chain", "admin", "halt", "--log", new string('0', 64), "--config", installation.Config)).Expect(Og.Failed).Error, StringComparison.Ordinal);
        Assert.Contains("configuration names none", (await Og.Run("chain", "admin", "show")).Expect(Og.Usage).Error, StringComparison.Ordinal);
    }

    [ChainFact]
    public async Task Convict_TwoHonestBundles_ConvictNobody()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        await using var host = await installation.Serve();
        var files = new List<string>();
        foreach (var digit in new[] { 0, 1 })
        {
            files.Add(Path.Combine(installation.Root, $"{digit}.ogb"));
            await File.WriteAllBytesAsync(files[^1], await host.Bundle((await host.Infer("digits", Inputs.Digit(digit), "final")).Expect(200).Receipt));
        }

        Assert.Contains("convict nobody", (await Og.Run("chain", "convict", files[0], files[1], "--config", installation.Config)).Expect(Og.Usage).Error, StringComparison.Ordinal);
    }

    private static async Task<string> Show(Installation installation) => (await Og.Run("chain", "admin", "show", "--config", installation.Config)).Expect(Og.Ok).Output;
}
