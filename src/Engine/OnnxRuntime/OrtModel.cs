using System.Runtime.InteropServices;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>One session, shared by all executors: Run is safe for concurrent calls. Owns the session and the native copies of the names.</summary>
internal sealed unsafe class OrtModel : IBackendModel
{
    private readonly OrtHandle _session;
    private readonly IDisposable? _memory;
    private readonly nint[] _names;
    private int _disposed;

    /// <param name="library">The library that opened it.</param>
    /// <param name="session">Owned from here on, unless this throws.</param>
    /// <param name="memory">What the session refers to; released after it. Null when it refers to nothing.</param>
    /// <param name="modelName">For messages.</param>
    /// <param name="fingerprint">What it runs with.</param>
    public OrtModel(OnnxRuntimeLibrary library, OrtHandle session, IDisposable? memory, string modelName, RuntimeFingerprint fingerprint)
    {
        Library = library;
        _session = session;
        _memory = memory;
        Fingerprint = fingerprint;
        Inputs = OrtSignature.Read(library.Api, session.Value, modelName, inputs: true);
        Outputs = OrtSignature.Read(library.Api, session.Value, modelName, inputs: false);
        var first = Inputs[0].HasOpenFirst ? Inputs[0].Symbols[0] : null;
        RowSymbol = Inputs.All(spec => spec.HasOpenFirst && spec.Symbols[0] == first) ? first : null;
        _names = [.. Inputs.Concat(Outputs).Select(spec => Marshal.StringToCoTaskMemUTF8(spec.Name))];
    }

    public OnnxRuntimeLibrary Library { get; }

    public IReadOnlyList<TensorSpec> Inputs { get; }

    public IReadOnlyList<TensorSpec> Outputs { get; }

    public RuntimeFingerprint Fingerprint { get; }

    /// <summary>The name that the first dimension of every input bears, null when they differ or have none.</summary>
    public string? RowSymbol { get; }

    public nint Session => _session.Value;

    /// <summary>Native UTF-8 names, inputs before outputs, alive as long as the model.</summary>
    public ReadOnlySpan<nint> NativeNames => _names;

    public IBackendExecutor CreateExecutor() => new OrtExecutor(this);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        _session.Dispose();
        _memory?.Dispose();
        foreach (var name in _names) Marshal.FreeCoTaskMem(name);
        NativeEnvironment.ReturnFreedMemory();
    }
}
