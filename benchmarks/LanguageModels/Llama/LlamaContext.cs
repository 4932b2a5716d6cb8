using System.Runtime.InteropServices;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Llama;

/// <summary>A context of llama.cpp for some sequences, with its defaults but for sizes and threads. Used by one thread at a time.</summary>
internal sealed unsafe class LlamaContext : IDisposable
{
    // llama.cpp's own: what its server submits at once, and what it computes at once.
    private const int Batch = 2048;

    private readonly LlamaLibrary _library;
    private readonly byte* _memory;
    private readonly LlamaBatch _arrays;
    private readonly nint _threads;
    private nint _context;
    private int _count;

    public LlamaContext(LlamaLibrary library, nint model, int sequences, int context, int threads)
    {
        _library = library;
        var parameters = library.ContextDefaults();
        parameters.Context = (uint)(sequences * context);
        parameters.Batch = Batch;
        parameters.Sequences = (uint)sequences;
        parameters.Threads = parameters.BatchThreads = threads;
        _context = library.NewContext(model, parameters);
        if (_context == 0) throw new InvalidOperationException($"llama.cpp gives no context for {sequences} sequences of {context} tokens");
        _threads = library.AttachThreads(_context, threads);

        // Tokens, positions, counts, ids, pointers to ids, flags.
        _memory = (byte*)NativeMemory.AllocZeroed(Batch, (4 * sizeof(int)) + (nuint)sizeof(int*) + 1);
        var ids = (int**)_memory;
        var numbers = (int*)(ids + Batch);
        for (var i = 0; i < Batch; i++)
        {
            ids[i] = numbers + (3 * Batch) + i;
            numbers[(2 * Batch) + i] = 1;
        }

        _arrays = new LlamaBatch
        {
            Tokens = numbers, Positions = numbers + Batch, SequenceCounts = numbers + (2 * Batch), SequenceIds = ids, Logits = (sbyte*)(numbers + (4 * Batch)),
        };
    }

    /// <summary>Tokens that still fit into the batch.</summary>
    public int Room => Batch - _count;

    public void Add(int token, int position, int sequence, bool withLogits)
    {
        if (_count == Batch) throw new InvalidOperationException("the batch is full");
        (_arrays.Tokens[_count], _arrays.Positions[_count], *_arrays.SequenceIds[_count]) = (token, position, sequence);
        _arrays.Logits[_count++] = withLogits ? (sbyte)1 : (sbyte)0;
    }

    /// <summary>Computes what was added. Returns when the logits are there.</summary>
    public void Run()
    {
        var batch = _arrays;
        batch.Count = _count;
        _count = 0;
        var status = _library.Decode(_context, batch);
        if (status != 0) throw new InvalidOperationException($"llama_decode gave {status}");
        _library.Synchronize(_context);
    }

    /// <summary>The logits of the i-th token of the batch that was run.</summary>
    public float* Logits(int index) => _library.Logits(_context, index);

    /// <summary>Forgets what a sequence holds from a position on.</summary>
    public void Truncate(int sequence, int length)
    {
        if (_library.MemoryRemove(_library.Memory(_context), sequence, length, -1) == 0) throw new InvalidOperationException("llama.cpp keeps what was to be forgotten");
    }

    public void Clear() => _library.MemoryClear(_library.Memory(_context), 0);

    public void Dispose()
    {
        if (_context == 0) return;
        _library.FreeContext(_context);
        _library.FreeThreads(_threads);
        _context = 0;
        NativeMemory.Free(_memory);
    }
}
