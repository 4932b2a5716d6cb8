using System.Diagnostics;
using System.Security.Cryptography;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Tpm;

/// <summary>A swtpm of its own, on a socket in a folder of its own, with the shim's attester beside it.</summary>
internal sealed class SoftwareTpm : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("og-swtpm-");
    private readonly Process _process;

    /// <summary>Why there is none here; null: there is.</summary>
    public static string? Missing { get; } = FindMissing();

    private static string? Attester { get; } = FindAttester();

    public SoftwareTpm()
    {
        var start = new ProcessStartInfo("swtpm") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])["socket", "--tpm2", "--tpmstate", $"dir={_folder.FullName}", "--server", $"type=unixio,path={Socket}",
            "--ctrl", $"type=unixio,path={Socket}.ctrl", "--flags", "not-need-init,startup-clear"]) start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        var waited = Stopwatch.StartNew();
        while (!(File.Exists(Socket) && File.Exists(Socket + ".ctrl")))
        {
            if (waited.Elapsed > Patience || _process.HasExited) throw new InvalidOperationException("swtpm did not start");
            Thread.Sleep(20);
        }
    }

    /// <summary>What the last program said beside its output.</summary>
    public string LastPrinted { get; private set; } = "";

    private string Socket => Path.Combine(_folder.FullName, "tpm");

    private string Address => $"swtpm:path={Socket}";

    /// <summary>The document that the shim's attester makes for this report data.</summary>
    public byte[] Document(ReadOnlySpan<byte> reportData, string? eventLog = null) =>
        Run(Attester!, [Address, Convert.ToHexStringLower(reportData), .. eventLog is null ? Array.Empty<string>() : [eventLog]]);

    /// <summary>Writes a file that goes with this TPM.</summary>
    public string Write(string name, byte[] content)
    {
        var file = Path.Combine(_folder.FullName, name);
        File.WriteAllBytes(file, content);
        return file;
    }

    /// <summary>The RSA endorsement key by the usual template, or the one on P-256.</summary>
    public AsymmetricAlgorithm EndorsementKey(bool isOnCurve = false)
    {
        var file = Path.Combine(_folder.FullName, "ek.pem");
        Run("tpm2_createek", "-c", Path.Combine(_folder.FullName, "ek.context"), "-G", isOnCurve ? "ecc" : "rsa", "-u", file, "-f", "pem");
        Run("tpm2_flushcontext", "-t");
        AsymmetricAlgorithm key = isOnCurve ? ECDiffieHellman.Create() : RSA.Create();
        key.ImportFromPem(File.ReadAllText(file));
        return key;
    }

    /// <summary>What the shim answers to a challenge with this TPM.</summary>
    public byte[] Answer(ReadOnlyMemory<byte> challenge) => TpmAnswer.To(Shim.Loaded, challenge.Span, Address);

    public void Extend(int register, byte[] digest) => Run("tpm2_pcrextend", $"{register}:sha256={Convert.ToHexStringLower(digest)}");

    /// <summary>Stores a certificate where makers put that of the RSA endorsement key, or of the one on P-256.</summary>
    public void Endorse(byte[] certificate, bool isOnCurve = false)
    {
        var (file, index) = (Write("certificate.der", certificate), isOnCurve ? "0x01c0000a" : "0x01c00002");
        // Larger than what it holds, as makers' indexes are.
        Run("tpm2_nvdefine", index, "-C", "o", "-s", $"{certificate.Length + 40}", "-a", "ownerread|ownerwrite|authread|authwrite");
        Run("tpm2_nvwrite", index, "-C", "o", "-i", file);
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    private byte[] Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["TPM2TOOLS_TCTI"] = Address;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        using var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        if (!process.WaitForExit(Patience) || process.ExitCode != 0) throw new InvalidOperationException($"{program}: {error.Result}");
        LastPrinted = error.Result;
        return output.ToArray();
    }

    private static string? FindMissing()
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        foreach (var program in (string[])["swtpm", "tpm2_pcrextend", "tpm2_nvdefine", "tpm2_nvwrite", "tpm2_createek"])
        {
            if (!folders.Any(folder => File.Exists(Path.Combine(folder, program)))) return $"{program} is not installed";
        }

        if (!File.Exists("/usr/include/tss2/tss2_esys.h")) return "the shim was built without the TSS2 headers";
        return FindAttester() is null ? "the native tests are not built" : null;
    }

    private static string? FindAttester()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var file = Path.Combine(folder.FullName, "build", "release", "native", "tests", "tpm_document");
            if (File.Exists(file)) return file;
        }

        return null;
    }
}

/// <summary>A theory that needs a swtpm.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SoftwareTpmTheoryAttribute : TheoryAttribute
{
    public SoftwareTpmTheoryAttribute() => Skip = SoftwareTpm.Missing;
}

/// <summary>A fact that needs a swtpm.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SoftwareTpmFactAttribute : FactAttribute
{
    public SoftwareTpmFactAttribute() => Skip = SoftwareTpm.Missing;
}
