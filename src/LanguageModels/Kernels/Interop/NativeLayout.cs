using System.Runtime.InteropServices;
using OpenGradient.Engine.Native;

namespace OpenGradient.Engine.LanguageModels.Kernels.Interop;

// Layouts of og_kernels.h, field by field in its order. The handshake compares every size with the library's own.

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
internal struct NativeConfig
{
    public uint Architecture;
    public uint Scheme;
    public uint Isa;
    public uint Threads;
    public uint Vocabulary;
    public uint Hidden;
    public uint Intermediate;
    public uint Layers;
    public uint Heads;
    public uint KvHeads;
    public uint HeadDim;
    public uint Context;
    public uint TiedEmbeddings;
    public uint AttentionBias;
    public uint PageTokens;
    public uint Pages;
    public uint MaxSequences;
    public uint MaxStepTokens;
    public uint RopeKind;
    public float RopeTheta;
    public float RopeFactor;
    public float RopeLowFrequency;
    public float RopeHighFrequency;
    public uint RopeOriginalContext;
    public float NormEpsilon;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeSequence
{
    public int* Tokens;
    public int* Pages;
    public uint TokenCount;
    public uint PageCount;
    public uint Start;
    public uint Logits;
}
