namespace OpenGradient.Engine.Attestation.Tests;

/// <summary>Tests over a development root and an open epoch of their own.</summary>
public abstract class WithEpoch : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private protected readonly SoftwareRoot _root;
    private protected readonly EnclaveEpoch _epoch;

    protected WithEpoch()
    {
        _root = SoftwareRoot.Open(Shim.Loaded, _folder.File("root.key"));
        _epoch = Shim.OpenEpoch(_root);
    }

    public void Dispose()
    {
        _epoch.Dispose();
        _root.Dispose();
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }
}
