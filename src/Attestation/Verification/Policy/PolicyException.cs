namespace OpenGradient.Engine.Attestation.Verification.Policy;

/// <summary>A policy file that does not say what it means. Nothing is accepted by such a file.</summary>
public sealed class PolicyException(string path, string flaw) : Exception($"evidence policy: {(path.Length == 0 ? "the file" : path)} {flaw}")
{
    /// <summary>Where in the file: "sev-snp.minimumTcb.Genoa". Empty for the whole.</summary>
    public string Path { get; } = path;
}
