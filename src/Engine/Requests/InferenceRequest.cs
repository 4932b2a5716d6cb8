using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine;

/// <summary>
/// One question to one model: 1..n rows along the first dimension of each input. Built by one thread; may be used again after
/// <see cref="Clear"/> once the call it was given to has completed. Tensor memory is lent, not copied: it must not change
/// until that call completes.
/// </summary>
public sealed class InferenceRequest
{
    private readonly List<Input> _inputs = [];
    private readonly List<long> _dimensions = [];
    private RequestPriority _priority = RequestPriority.Normal;

    /// <param name="model">The model's name.</param>
    /// <param name="version">Null for the version that was loaded last.</param>
    public InferenceRequest(string model, string? version = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        Model = model;
        Version = version;
    }

    public string Model { get; }

    public string? Version { get; }

    /// <summary>How long the request may wait for its execution to begin, from the call on. Null: its priority's <see cref="QueuePolicy.DefaultTimeout"/>, else as long as the caller's cancellation token allows.</summary>
    public TimeSpan? Timeout { get; set; }

    /// <summary>Default normal; see docs/engine.md, "Queue".</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the three.</exception>
    public RequestPriority Priority
    {
        get => _priority;
        set => _priority = value is >= RequestPriority.High and <= RequestPriority.Low ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "not a priority");
    }

    /// <summary>Whom the request is for, compared by ordinal: callers that wait are served in turn. Null, the default: the anonymous caller, who is one caller too.</summary>
    public string? Caller { get; set; }

    /// <summary>Digest of the parameters that change the answer (docs/formats.md, "Tensor-set digest"); default none.</summary>
    public Hash256 ParameterDigest { get; set; } = TensorSetDigest.NoParameters;

    /// <summary>Number of inputs added.</summary>
    public int Count => _inputs.Count;

    /// <summary>Adds an input as little-endian bytes.</summary>
    /// <param name="name">The model's name for it; null to take the model's input at this position.</param>
    /// <param name="shape">All dimensions, the first being the number of rows.</param>
    public InferenceRequest Add(string? name, ElementType type, ReadOnlySpan<long> shape, ReadOnlyMemory<byte> data) =>
        AddSource(name, type, shape, TensorSource.Of(data));

    /// <summary>Adds an input as elements; bool is one byte each.</summary>
    /// <param name="name">The model's name for it; null to take the model's input at this position.</param>
    /// <param name="shape">All dimensions, the first being the number of rows.</param>
    /// <exception cref="ArgumentException"><typeparamref name="T"/> is not an element type.</exception>
    public InferenceRequest Add<T>(string? name, ReadOnlySpan<long> shape, ReadOnlyMemory<T> data) where T : unmanaged
    {
        var type = ElementTypes.Of<T>();
        if (type == ElementType.None) throw new ArgumentException($"{typeof(T)} is not a tensor element type", nameof(data));
        return AddSource(name, type, shape, TensorSource.Of(data));
    }

    /// <summary>Removes all inputs, keeping the memory for the next use.</summary>
    public void Clear()
    {
        _inputs.Clear();
        _dimensions.Clear();
    }

    internal Input InputAt(int index) => _inputs[index];

    internal ReadOnlySpan<long> ShapeOf(in Input input) =>
        System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_dimensions).Slice(input.ShapeStart, input.Rank);

    private InferenceRequest AddSource(string? name, ElementType type, ReadOnlySpan<long> shape, TensorSource source)
    {
        _inputs.Add(new Input(name, type, _dimensions.Count, shape.Length, source));
        _dimensions.AddRange(shape);
        return this;
    }

    internal readonly record struct Input(string? Name, ElementType Type, int ShapeStart, int Rank, TensorSource Source);
}
