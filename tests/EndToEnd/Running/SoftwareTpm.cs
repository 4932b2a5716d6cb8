namespace OpenGradient.Engine.EndToEnd.Tests.Running;

/// <summary>A TPM in software, made and run by <c>scripts/software-tpm.sh</c>, with an endorsement by an authority of its own.</summary>
internal sealed class SoftwareTpm : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private Child? _child;

    /// <summary>Why there is none here; null: there is.</summary>
    public static string? Missing { get; } = FindMissing();

    /// <summary>As <c>attestation.tpm</c> and <c>--tpm</c> name it.</summary>
    public string Name => $"swtpm:path={_folder.At("socket")}";

    public string Collateral => _folder.At("collateral");

    public static async Task<SoftwareTpm> Start()
    {
        var tpm = new SoftwareTpm();
        tpm._child = await Child.Start(Repository.At("scripts", "software-tpm.sh"), [tpm._folder.Root]);
        await Eventually.Holds("the TPM listens", () =>
        {
            Assert.False(tpm._child.HasExited, tpm._child.Output + tpm._child.Error);
            return Task.FromResult(File.Exists(tpm._folder.At("socket")) && File.Exists(tpm._folder.At("socket.ctrl")));
        });
        return tpm;
    }

    public async ValueTask DisposeAsync()
    {
        if (_child is not null) await _child.DisposeAsync();
        _folder.Dispose();
    }

    private static string? FindMissing()
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        foreach (var program in (string[])["swtpm", "swtpm_setup"])
            if (!folders.Any(folder => File.Exists(Path.Combine(folder, program)))) return $"{program} is not installed";
        return File.Exists("/usr/include/tss2/tss2_esys.h") ? ChainFactAttribute.Reason : "the shim was built without the TSS2 headers";
    }
}

/// <summary>A fact that needs a TPM in software and a chain.</summary>
public sealed class SoftwareTpmFactAttribute : FactAttribute
{
    public SoftwareTpmFactAttribute() => Skip = SoftwareTpm.Missing;
}
