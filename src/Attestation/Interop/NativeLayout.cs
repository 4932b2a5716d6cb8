using System.Runtime.InteropServices;
using OpenGradient.Engine.Native;

namespace OpenGradient.Engine.Attestation.Interop;

// Layouts of og_attest.h, field by field in its order. The handshake compares every size with the library's own.

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeError
{
    public const int TextSize = 252;

    public int OsError;
    public fixed byte Text[TextSize];

    public static string Describe(in NativeError error)
    {
        fixed (byte* text = error.Text) return NativeText.Read(text, TextSize);
    }
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeChainView
{
    public ulong ChainId;
    public ulong BlockNumber;
    public fixed byte BlockHash[32];
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeBatch
{
    public byte* Context;
    public nuint ContextSize;
    public Formats.RowView* Rows;
    public uint RowCount;
    public uint BatchRows;
    public ulong HostTime;
    public NativeChainView* Chain;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeSealed
{
    public byte* Statement;
    public nuint StatementCapacity;
    public nuint StatementSize;
    public byte* Leaves;
    public nuint LeavesCapacity;
    public byte* Tree;
    public nuint TreeCapacity;
    public byte* ReceiptIds;
    public nuint ReceiptIdsCapacity;
    public ulong Sequence;
    public fixed byte StatementId[32];
    public ulong HashNanoseconds;
    public ulong SignNanoseconds;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeLibraryName
{
    public byte* Name;
    public nuint NameSize;
    public fixed byte Digest[32];
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeEpochConfig
{
    public fixed byte LogId[32];
    public fixed byte Contract[20];
    public ushort Attester;
    public ushort Reserved;
    public ulong ChainId;
    public ulong HostSeconds;
    public NativeLibraryName* Libraries;
    public nuint LibraryCount;
    public byte* Nonce;
    public nuint NonceSize;
    public byte* RootSecret;
    public byte* Device;
    public nuint DeviceSize;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeCheckpoint
{
    public ulong Size;
    public fixed byte Root[32];
    public fixed byte PreviousHead[32];
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeAttesterInfo
{
    public const int NameSize = 24;
    public const int ReasonSize = 224;

    public ushort Kind;
    public ushort Available;
    public uint Reserved;
    public fixed byte Name[NameSize];
    public fixed byte Reason[ReasonSize];
}
