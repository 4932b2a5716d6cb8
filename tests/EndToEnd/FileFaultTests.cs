using System.Text;
using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>Files that are missing, broken or from the future: each is refused at start, by name, with an exit code that says whose fault it is.</summary>
public sealed class FileFaultTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Model_ThatCannotBeServed_IsRefusedByName()
    {
        var model = Directory.CreateDirectory(_folder.At("model")).FullName;
        var (description, weights) = (File.ReadAllText(Repository.At("models", "digits", "model.json")), File.ReadAllBytes(Repository.At("models", "digits", "model.onnx")));
        var config = Config(model);

        await Refused(config, Og.Usage, "model.json");
        File.WriteAllText(Path.Combine(model, "model.json"), "{\"name\":3}");
        await Refused(config, Og.Usage, "model.json");
        File.WriteAllText(Path.Combine(model, "model.json"), description);
        await Refused(config, Og.Usage, "model.onnx");
        foreach (var bytes in new[] { [], weights[..(weights.Length / 2)], Encoding.UTF8.GetBytes("not a model"), new byte[4096] })
        {
            File.WriteAllBytes(Path.Combine(model, "model.onnx"), bytes);
            await Refused(config, Og.Usage, "digits");
        }

        await Refused(Config(_folder.At("absent")), Og.Usage, "absent");
    }

    [Theory]
    [InlineData("onnxRuntime.library=/nonexistent/libonnxruntime.so", "/nonexistent/libonnxruntime.so")]
    [InlineData("attestation.library=/nonexistent/libog_attest.so", "/nonexistent/libog_attest.so")]
    [InlineData("onnxRuntime.provider=tpu", "onnxRuntime.provider")]
    [InlineData("surprise=1", "surprise")]
    [InlineData("http.surprise=1", "surprise")]
    [InlineData("settlement.tickMs=soon", "settlement.tickMs")]
    [InlineData("version=2", "version 2")]
    [InlineData("nonsense", "section.key=value")]
    public async Task Setting_ThatCannotWork_IsRefusedByName(string setting, string says) =>
        await Refused(Config(Repository.At("models", "digits")), Og.Usage, says, "--set", setting);

    [Fact]
    public async Task Library_ThatIsAnotherFile_IsRefusedByName()
    {
        var text = _folder.Write("library.so", "not a library");
        await Refused(Config(Repository.At("models", "digits")), Og.Usage, "library.so", "--set", "onnxRuntime.library=" + text);
        await Refused(Config(Repository.At("models", "digits")), Og.Usage, "library.so", "--set", "attestation.library=" + text);

        // A library indeed, but not this one.
        var other = File.ReadLines("/proc/self/maps").Select(line => line[(line.LastIndexOf(' ') + 1)..]).First(path => path.EndsWith("/libm.so.6", StringComparison.Ordinal));
        await Refused(Config(Repository.At("models", "digits")), Og.Usage, "libm.so.6", "--set", "onnxRuntime.library=" + other);
        await Refused(Config(Repository.At("models", "digits")), Og.Usage, "libm.so.6", "--set", "attestation.library=" + other);
    }

    [Theory]
    [InlineData("", "og.json")]
    [InlineData("{\"data\":", "malformed JSON")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("{\"surprise\":true}", "surprise")]
    [InlineData("{\"version\":7}", "version 7")]
    [InlineData("{\"models\":7}", "models")]
    public async Task Configuration_ThatIsUnusable_IsRefusedByNameAndByCheck(string text, string says)
    {
        var config = _folder.Write("og.json", text);
        await Refused(config, Og.Usage, says);
        Assert.Contains(says, (await Og.Run("config", "check", "--config", config)).Expect(Og.Usage).Error);
    }

    [Fact]
    public async Task Configuration_ThatIsMissingOrAFolder_IsRefusedByName()
    {
        await Refused(_folder.At("absent.json"), Og.Usage, "absent.json");
        var serve = await Og.Run("serve", "--config", _folder.Root);
        Assert.NotEqual(Og.Ok, serve.ExitCode);
        Assert.Contains(_folder.Root, serve.Expect(serve.ExitCode).Error);
    }

    [Fact]
    public async Task Configuration_ThatIsSound_IsSaidToBe() =>
        Assert.Contains("sound", (await Og.Run("config", "check", "--config", Config(Repository.At("models", "digits")))).Expect(Og.Ok).Output);

    [ChainFact]
    public async Task Outbox_ThatIsCutOrChanged_IsRefusedByName()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        var receipts = new List<Receipt>();
        await using (var host = await installation.Serve())
        {
            for (var i = 0; i < 4; i++) receipts.Add((await host.Infer("digits", Inputs.Digit(i), "final")).Expect(200).Receipt);
            await host.Kill();
        }

        var segment = Directory.GetFiles(Path.Combine(installation.Root, "outbox"), "*.seg").Single();
        var sound = File.ReadAllBytes(segment);
        // Not one of the zeros between two records, which no checksum covers.
        var middle = Array.FindIndex(sound, Array.FindLastIndex(sound, value => value != 0) / 2, value => value != 0);
        byte[] Flip(int at) => [.. sound.Select((value, index) => index == at ? (byte)(value ^ 1) : value)];
        foreach (var (damaged, changed) in new[] { (sound[..middle], false), (sound[..10], false), ([], false), (Flip(middle), true), (Flip(0), true) })
        {
            File.WriteAllBytes(segment, damaged);
            await using var host = await ServingHost.Launch(installation.Config, []);
            var refused = (await host.Exit()).Expect(Og.Failed);
            Assert.Matches("outbox|log: ", refused.Error);

            // What is cut off may be a torn tail until the published log tells otherwise; what is changed is left alone at once.
            if (changed) Assert.Equal(damaged, File.ReadAllBytes(segment));
        }

        File.WriteAllBytes(segment, sound);
        await using var repaired = await installation.Serve();
        foreach (var receipt in receipts) Assert.Equal("final", await repaired.StageOf(receipt.Id.ToString()));
        await Audit.Run(installation, receipts);
    }

    [ChainFact]
    public async Task Keys_ThatAreBroken_AreRefusedByName()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        foreach (var key in new[] { "log.key", "software-root.key", "transaction.key" })
        {
            var file = Path.Combine(installation.Root, "keys", key);
            var sound = File.ReadAllBytes(file);
            File.WriteAllText(file, "rubbish");
            await using var host = await ServingHost.Launch(installation.Config, []);
            var refused = await host.Exit();
            Assert.NotEqual(Og.Ok, refused.ExitCode);
            Assert.Contains(key, refused.Expect(refused.ExitCode).Error);
            File.WriteAllBytes(file, sound);
        }
    }

    private static async Task Refused(string config, int code, string says, params string[] more)
    {
        var serve = await Og.Run([
            "serve", "--config", config, "--set", $"http.listen=http://127.0.0.1:{Ports.Free()}", "--set", $"operatorListen=http://127.0.0.1:{Ports.Free()}", .. more]);
        Assert.Contains(says, serve.Expect(code).Error);
    }

    private string Config(string model) => _folder.Write("og.json", $$"""{"version":1,"data":"data","models":[{"path":"{{model}}"}]}""");
}
