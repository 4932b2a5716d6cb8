using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.Engine.Tests.Torch;

/// <summary>native/tests/torch/double.c: the ABI of libog_torch.so over GPUs that fail when a row tells them to. Needs no libtorch.</summary>
internal static class TorchDouble
{
    /// <summary>Rows of these values make their call fail.</summary>
    public const float Raises = -1, Endless = -2, Loses = -3;

    public static TorchLibrary Library => TorchLibrary.Load(PathOf(""));

    public static string PathOf(string variant) => Path.Combine(TestFiles.Root, "build", "release", "native", "tests", $"libog_torch_double{variant}.so");

    /// <summary>The archive of a model of whose rows so many fit into one call; 0 for any number.</summary>
    public static byte[] Archive(int fits = 0) => [.. "PK\x03\x04"u8, .. System.Text.Encoding.ASCII.GetBytes($"{fits}")];
}

/// <summary>A test over the double; visibly skipped where it is not built.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TorchDoubleFactAttribute : FactAttribute
{
    public TorchDoubleFactAttribute() => Skip = Missing;

    internal static string? Missing { get; } = File.Exists(TorchDouble.PathOf("")) ? null : $"'{TorchDouble.PathOf("")}' is not built: cmake --preset release && cmake --build --preset release";
}

/// <inheritdoc cref="TorchDoubleFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TorchDoubleTheoryAttribute : TheoryAttribute
{
    public TorchDoubleTheoryAttribute() => Skip = TorchDoubleFactAttribute.Missing;
}
