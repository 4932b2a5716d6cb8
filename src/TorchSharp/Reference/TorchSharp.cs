// The signatures of TorchSharp 0.107 that the adapter calls, and nothing else of it: names, types and defaults as the package
// has them. Compiled only where the package is not; every call says so.
#pragma warning disable CS8981, IDE1006, CA1707, CA1715, CA1716, CA1720, CA1724, CA1822, CA1034, CA1063, CA1816, CA1819, CA1008, CA1028, CA1711, CA1720

namespace TorchSharp;

public enum DeviceType
{
    CPU = 0,
    CUDA = 1,
}

public sealed class DisposeScope : IDisposable
{
    public void Dispose() { }
}

public static class torch
{
    public enum ScalarType : sbyte
    {
        Byte = 0,
        Int8 = 1,
        Int16 = 2,
        Int32 = 3,
        Int64 = 4,
        Float16 = 5,
        Float32 = 6,
        Float64 = 7,
        Bool = 11,
    }

    public static string __version__ => throw Absent();

    public static Tensor empty(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => throw Absent();

    public static IDisposable inference_mode(bool mode = true) => throw Absent();

    public static DisposeScope NewDisposeScope() => throw Absent();

    public static void InitializeDeviceType(DeviceType deviceType) => throw Absent();

    public static int get_num_threads() => throw Absent();

    public static void set_num_threads(int num) => throw Absent();

    private static PlatformNotSupportedException Absent() => new("this build has no TorchSharp: it was compiled against signatures alone");

    public class Device;

    public class Tensor : IDisposable
    {
        public Span<byte> bytes => throw Absent();

        public ScalarType dtype => throw Absent();

        public long[] shape => throw Absent();

        public Tensor contiguous() => throw Absent();

        public Tensor cpu() => throw Absent();

        public Tensor to(DeviceType deviceType, int deviceIndex = -1, bool copy = false, bool disposeAfter = false, bool non_blocking = false) => throw Absent();

        public void Dispose() { }
    }

    public static class nn
    {
        public abstract class Module : IDisposable
        {
            public virtual void eval() => throw Absent();

            public void Dispose() { }
        }
    }

    public static class jit
    {
        public class ScriptModule : nn.Module
        {
            public object forward(params object[] input) => throw Absent();
        }

        public static ScriptModule load(byte[] bytes, DeviceType device_type = DeviceType.CPU, long device_index = -1) => throw Absent();
    }

    public static class cuda
    {
        public static bool is_available() => throw Absent();

        public static int device_count() => throw Absent();
    }

    public static class backends
    {
        public static class cuda
        {
            public static class matmul
            {
                public static bool allow_tf32 { get => throw Absent(); set => throw Absent(); }

                public static bool allow_fp16_reduced_precision_reduction { get => throw Absent(); set => throw Absent(); }
            }
        }

        public static class cudnn
        {
            public static bool allow_tf32 { get => throw Absent(); set => throw Absent(); }
        }
    }
}
