using System.Runtime.InteropServices;
using OpenGradient.Engine.Native;

namespace OpenGradient.Engine.Torch.Interop;

// Layouts of og_torch.h, field by field in its order. The handshake compares every size with the library's own.

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeError
{
    public const int TextSize = 508;

    public int OsError;
    public fixed byte Text[TextSize];

    public static string Describe(in NativeError error)
    {
        fixed (byte* text = error.Text) return NativeText.Read(text, TextSize);
    }
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeSettings
{
    public uint AllowTf32;
    public uint AllowReducedReductions;
    public uint AllowNondeterministic;
    public uint FlushDenormals;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeLoad
{
    public uint Device;
    public int DeviceIndex;
    public uint Freeze;
    public uint Threads;
    public byte* Signature;
    public ulong SignatureSize;
    public ulong MaxBytes;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeModuleInfo
{
    public uint Inputs;
    public uint Outputs;
    public uint Flags;
    public uint Checkpoints;
    public ulong WeightBytes;
    public ulong ArchiveBytes;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeValue
{
    public const int NameSize = 128;
    public const int SymbolSize = 32;

    public fixed byte Name[NameSize];
    public uint Type;
    public uint Rank;
    public fixed long Shape[TorchLimits.MaxRank];
    public fixed byte Symbols[TorchLimits.MaxRank * SymbolSize];
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeTensor
{
    public byte* Data;
    public ulong Capacity;
    public ulong Bytes;
    public uint Type;
    public uint Rank;
    public uint Flags;
    public uint Reserved;
    public fixed long Shape[TorchLimits.MaxRank];
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeDevice
{
    public const int NameSize = 128;
    public const int ReasonSize = 256;

    public uint Kind;
    public int Index;
    public uint CapabilityMajor;
    public uint CapabilityMinor;
    public uint Multiprocessors;
    public uint Driver;
    public uint Runtime;
    public uint Cudnn;
    public ulong TotalBytes;
    public ulong FreeBytes;
    public fixed byte Name[NameSize];
    public fixed byte Reason[ReasonSize];
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeMemoryFigures
{
    public ulong Allocated;
    public ulong AllocatedPeak;
    public ulong Reserved;
    public ulong ReservedPeak;
    public ulong Pinned;
    public ulong Resident;
    public ulong OutOfMemory;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeTimes
{
    public ulong Total;
    public ulong Stage;
    public ulong Forward;
    public ulong Wait;
    public ulong Outputs;
    public ulong Device;
}

/// <summary>Limits of og_torch.h.</summary>
internal static class TorchLimits
{
    public const int MaxRank = 8;
    public const int MaxValues = 64;
    public const uint RankUnknown = 0xFFFFFFFF;
}
