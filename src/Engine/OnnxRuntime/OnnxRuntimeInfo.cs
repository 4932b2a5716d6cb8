namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>Which library answered, for <c>og doctor</c> and the runtime fingerprint.</summary>
/// <param name="Path">The file that was loaded.</param>
/// <param name="Version">As the library says it, for example <c>1.27.0</c>.</param>
/// <param name="Sha256">SHA-256 of the file's bytes, 32 bytes.</param>
/// <param name="Providers">Execution providers compiled in; being listed does not mean that the device is there.</param>
/// <param name="InstructionSet">The CPU's features, see <see cref="OnnxRuntime.InstructionSet"/>.</param>
public sealed record OnnxRuntimeInfo(
    string Path, string Version, ReadOnlyMemory<byte> Sha256, IReadOnlyList<string> Providers, string InstructionSet);
