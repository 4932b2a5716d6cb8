using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>A software epoch over keys in a folder of its own, as a host without a chain has it. The folder goes with it.</summary>
internal sealed class SealingKeys : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("og-bench-");
    private readonly LogKey _logKey;
    private readonly SoftwareRoot _root;

    public SealingKeys()
    {
        var shim = Shim = AttestationShim.Load();
        Signatures = new NativeSignatures(shim);
        _logKey = LogKey.Open(shim, Path.Combine(_folder.FullName, "log.key"));
        _root = SoftwareRoot.Open(shim, Path.Combine(_folder.FullName, "root.key"));
        var options = new EpochOptions { LogId = _logKey.LogId, ChainId = 0, Contract = default, SoftwareRoot = _root, Attester = EvidenceKind.Software };
        Epoch = EnclaveEpoch.Open(shim, options, TimeProvider.System);
    }

    public AttestationShim Shim { get; }

    public EnclaveEpoch Epoch { get; }

    public NativeSignatures Signatures { get; }

    public void Dispose()
    {
        Epoch.Dispose();
        _root.Dispose();
        _logKey.Dispose();
        _folder.Delete(recursive: true);
    }
}
