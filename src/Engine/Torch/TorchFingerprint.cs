using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.Torch;

/// <summary>What a statement says of libtorch besides its version and digest: everything else that can change bits.</summary>
internal static class TorchFingerprint
{
    // align=64       how inputs are aligned: vector kernels take other paths at other offsets.
    // freeze=on      attributes are constants; see TorchBackend.
    private static readonly string[] Common = ["align=64", "freeze=on"];

    /// <summary>The GPU with what its kernels are chosen by, or the processor's features.</summary>
    public static string DeviceOf(TorchDevice? gpu) => gpu is null
        ? InstructionSet.Current
        : $"{gpu.Name}, compute capability {gpu.Capability}, {gpu.Multiprocessors} multiprocessors, with {InstructionSet.Current}";

    /// <summary><c>name=value</c>, sorted, joined by <c>;</c>.</summary>
    public static string Options(TorchInfo info, TorchDevice? gpu, int intraOpThreads, bool fellBack)
    {
        var options = Common
            .Concat(info.Numerics.Split(',', StringSplitOptions.RemoveEmptyEntries))
            .Append($"blas={Plain(info.Blas)}")
            .Append($"intra={intraOpThreads}")
            .Append($"kernels={Plain(info.Kernels)}")
            .Append($"libm={NativeEnvironment.MathLibrary}");
        if (gpu is not null) options = options.Append($"cuda={Plain(info.Cuda)}").Append($"driver={Plain(gpu.Driver)}");
        if (fellBack) options = options.Append("fallback=cpu");
        return string.Join(';', options.Order(StringComparer.Ordinal));
    }

    // A library's own words must not add options of their own.
    private static string Plain(string text) => text.Replace(';', ',').Replace('=', ':');
}
