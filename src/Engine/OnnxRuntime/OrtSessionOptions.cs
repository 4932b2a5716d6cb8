using System.Text;
using OpenGradient.Engine.Backends;

namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>Builds the session options that every model runs with. They are part of the runtime fingerprint: each can change bits.</summary>
internal static unsafe class OrtSessionOptions
{
    private const int Sequential = 0;
    private const int AllOptimizations = 99;

    // align=64             how buffers are aligned: with 4 or 8 bytes of offset the vector kernels take other paths.
    // deterministic=1      asked for on every provider; the CPU's kernels are deterministic without it.
    // graph=all            fixed, because the level changes bits.
    // inter=1              nodes of one call run one after the other: workers scale better.
    // intra=N              threads inside a call, 1 unless asked for: with more, some kernels split rows by the thread count.
    // libm=...             exp, log, pow, sin, cos, tanh and atan of some kernels are the C library's, whose versions round differently.
    // prepacking=1         unpacked GEMM has another kernel for one row, which breaks batch invariance.
    // spinning=0           threads that spin take the cores from other workers.
    private static readonly string[] Common = ["align=64", "deterministic=1", "graph=all", "inter=1", "prepacking=1", "spinning=0"];

    // Why: see AppendCuda.
    private static readonly string[] Cuda = ["cudnn_search=heuristic", "tf32=0"];

    /// <summary>The options as the fingerprint states them: <c>name=value</c>, sorted, joined by <c>;</c>.</summary>
    public static string Describe(ExecutionDevice device, int intraOpThreads, bool fellBack)
    {
        var options = Common.Append($"intra={intraOpThreads}").Concat(device == ExecutionDevice.Cuda ? Cuda : []);
        options = options.Append($"libm={NativeEnvironment.MathLibrary}");
        if (fellBack) options = options.Append("fallback=cpu");
        return string.Join(';', options.Order(StringComparer.Ordinal));
    }

    public static OrtHandle Create(OrtApi api, int intraOpThreads)
    {
        nint raw;
        OrtStatus.Check(api, api.CreateSessionOptions(&raw), "create session options");
        var options = new OrtHandle(raw, api.ReleaseSessionOptions);
        OrtStatus.Check(api, api.SetIntraOpNumThreads(raw, intraOpThreads), "set intra-op threads");
        OrtStatus.Check(api, api.SetInterOpNumThreads(raw, 1), "set inter-op threads");
        OrtStatus.Check(api, api.SetSessionExecutionMode(raw, Sequential), "set execution mode");
        OrtStatus.Check(api, api.SetSessionGraphOptimizationLevel(raw, AllOptimizations), "set graph level");
        OrtStatus.Check(api, api.SetDeterministicCompute(raw, 1), "set deterministic compute");
        AddEntry(api, raw, "session.intra_op.allow_spinning", "0");
        AddEntry(api, raw, "session.inter_op.allow_spinning", "0");
        AddEntry(api, raw, "session.disable_prepacking", "0");
        return options;
    }

    /// <summary>Null when the provider was added; otherwise why not.</summary>
    public static OrtError? AppendCuda(OrtApi api, OrtHandle options, int deviceId)
    {
        nint cuda;
        if (OrtStatus.Take(api, api.CreateCudaOptions(&cuda)) is { } missing) return missing;
        using var owner = new OrtHandle(cuda, api.ReleaseCudaOptions);
        // TF32 rounds products to 10 bits; the exhaustive convolution search picks by timing: both cost reproducibility.
        (string Key, string Value)[] entries =
        [
            ("device_id", deviceId.ToString()), ("use_tf32", "0"), ("cudnn_conv_algo_search", "HEURISTIC"),
        ];
        foreach (var (key, value) in entries)
            if (OrtStatus.Take(api, Update(api, cuda, key, value)) is { } refused) return refused;
        return OrtStatus.Take(api, api.AppendCuda(options.Value, cuda));
    }

    private static nint Update(OrtApi api, nint cuda, string key, string value)
    {
        fixed (byte* k = Utf8(key), v = Utf8(value))
        {
            byte* keys = k, values = v;
            return api.UpdateCudaOptions(cuda, &keys, &values, 1);
        }
    }

    private static void AddEntry(OrtApi api, nint options, string key, string value)
    {
        fixed (byte* k = Utf8(key), v = Utf8(value))
            OrtStatus.Check(api, api.AddSessionConfigEntry(options, k, v), $"set {key}");
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text + '\0');
}
