using System.Runtime.InteropServices;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Llama;

/// <summary>llama_model_params of llama.cpp v0.5.0, 80 bytes. Never made here: the library fills it, we change members.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LlamaModelParams
{
    public nint Devices, TensorBufferOverrides;
    public int GpuLayers, SplitMode, LoadMode, LazyMode, MainGpu;
    public nint TensorSplit, ProgressCallback, ProgressUserData, MetadataOverrides;
    public byte VocabularyOnly, CheckTensors, UseExtraBuffers, NoHost, NoAllocation, LoadMtp;
}

/// <summary>llama_context_params of llama.cpp v0.5.0, 160 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LlamaContextParams
{
    public uint Context, Batch, MicroBatch, Sequences, RollbackSnapshots, Outputs, OutputsPerSequence;
    public int Threads, BatchThreads, ContextType, RopeScaling, Pooling, Attention, FlashAttention;
    public float RopeBase, RopeScale, YarnExtension, YarnAttention, YarnBetaFast, YarnBetaSlow;
    public uint YarnOriginalContext;
    public float DefragmentThreshold;
    public nint EvaluationCallback, EvaluationUserData;
    public int KeyType, ValueType;
    public nint AbortCallback, AbortUserData;
    public byte Embeddings, OffloadAttention, NoPerformance, OffloadOperators, FullWindow, UnifiedCache;
    public nint Samplers;
    public nuint SamplerCount;
    public nint OtherContext;
}

/// <summary>llama_batch, 56 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LlamaBatch
{
    public int Count;
    public int* Tokens;
    public float* Embeddings;
    public int* Positions;
    public int* SequenceCounts;
    public int** SequenceIds;
    public sbyte* Logits;
}
