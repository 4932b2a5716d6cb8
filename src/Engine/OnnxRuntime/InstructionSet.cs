using System.Runtime.Intrinsics.X86;

namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>The CPU features by which ONNX Runtime's kernels choose their code path, and so the bits they produce.</summary>
public static class InstructionSet
{
    /// <summary>For example <c>x86-64+avx2+fma+avx512f+avx512vnni</c>. Part of the runtime fingerprint.</summary>
    public static string Current { get; } = Describe();

    private static string Describe()
    {
        if (System.Runtime.Intrinsics.Arm.AdvSimd.Arm64.IsSupported) return DescribeArm();
        if (!X86Base.X64.IsSupported) return "portable";
        var parts = new List<string> { "x86-64" };
        Add(parts, Avx.IsSupported, "avx");
        Add(parts, Avx2.IsSupported, "avx2");
        Add(parts, Fma.IsSupported, "fma");
        Add(parts, Avx512F.IsSupported, "avx512f");
        Add(parts, Avx512BW.IsSupported && Avx512DQ.IsSupported && Avx512F.VL.IsSupported, "avx512core");
        AddLeaf7(parts);
        return string.Join('+', parts);
    }

    // VNNI, BF16 and AMX have no IsSupported of their own; CPUID leaf 7 names them (Intel SDM vol. 2A, CPUID).
    private static void AddLeaf7(List<string> parts)
    {
        if (X86Base.CpuId(0, 0).Eax < 7) return;
        var (subleaves, _, ecx, edx) = X86Base.CpuId(7, 0);
        Add(parts, Avx512F.IsSupported && (ecx & (1 << 11)) != 0, "avx512vnni");
        if (subleaves >= 1)
        {
            var eax = X86Base.CpuId(7, 1).Eax;
            Add(parts, Avx2.IsSupported && (eax & (1 << 4)) != 0, "avxvnni");
            Add(parts, Avx512F.IsSupported && (eax & (1 << 5)) != 0, "avx512bf16");
        }

        Add(parts, (edx & (1 << 24)) != 0 && (edx & (1 << 25)) != 0, "amxint8");
    }

    private static string DescribeArm()
    {
        var parts = new List<string> { "arm64" };
        Add(parts, System.Runtime.Intrinsics.Arm.Dp.IsSupported, "dotprod");
        return string.Join('+', parts);
    }

    private static void Add(List<string> parts, bool present, string name)
    {
        if (present) parts.Add(name);
    }
}
