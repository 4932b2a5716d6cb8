using System.Runtime.CompilerServices;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Tensors;
using TorchSharp;

namespace OpenGradient.Engine.TorchSharp;

/// <summary>
/// Runs batches by TorchSharp: inputs are copied into tensors, outputs out of them. A termination is noticed before a call, not
/// within one: TorchSharp has no way in. Used by one thread at a time, except <see cref="Terminate"/>.
/// </summary>
internal sealed unsafe class TorchSharpExecutor(TorchSharpModel model) : IBackendExecutor
{
    private volatile bool _terminated;

    public BackendFault? Execute(ExecutionBuffers buffers)
    {
        if (_terminated) return new BackendFault("Terminated", "asked to stop before the call");
        try
        {
            // libtorch keeps the number by thread.
            if (torch.get_num_threads() != model.Options.IntraOpThreads) torch.set_num_threads(model.Options.IntraOpThreads);
            using var scope = torch.NewDisposeScope();
            using var mode = torch.inference_mode();
            var inputs = new object[model.Inputs.Count];
            for (var i = 0; i < inputs.Length; i++) inputs[i] = Input(buffers, i);
            return Publish(model.Module.forward(inputs), buffers);
        }
#pragma warning disable CA1031 // What a module raises arrives as an exception of any type.
        catch (Exception error)
#pragma warning restore CA1031
        {
            return new BackendFault("Raised", error.Message);
        }
    }

    public void Terminate() => _terminated = true;

    public void ClearTermination() => _terminated = false;

    public void Dispose() { }

    private torch.Tensor Input(ExecutionBuffers buffers, int index)
    {
        var tensor = torch.empty(buffers.InputShapes[index], TorchSharpTypes.Of(model.Inputs[index].Type));
        var bytes = tensor.bytes;
        new ReadOnlySpan<byte>(buffers.Input(index), bytes.Length).CopyTo(bytes);
        return model.Device == DeviceType.CPU ? tensor : tensor.to(model.Device, model.Options.DeviceId);
    }

    private BackendFault? Publish(object? answer, ExecutionBuffers buffers)
    {
        if (Tensors(answer) is not { } tensors) return new BackendFault("WrongOutput", "forward returned values that are no tensors");
        if (tensors.Length != model.Outputs.Count) return new BackendFault("WrongOutput", $"forward returned {tensors.Length} values, declared are {model.Outputs.Count}");
        for (var i = 0; i < tensors.Length; i++)
        {
            var spec = model.Outputs[i];
            var tensor = tensors[i].cpu().contiguous();
            if (tensor.dtype != TorchSharpTypes.Of(spec.Type)) return new BackendFault("WrongOutput", $"output '{spec.Name}' is of type {tensor.dtype}");
            if (Misfit(spec, tensor.shape)) return new BackendFault("WrongOutput", $"output '{spec.Name}' is [{string.Join(',', tensor.shape)}], declared is {spec}");
            var bytes = tensor.bytes;
            buffers.ReserveOutput(i, bytes.Length);
            bytes.CopyTo(new Span<byte>(buffers.Output(i), bytes.Length));
            buffers.OutputShapes[i] = tensor.shape;
            buffers.OutputData[i] = (nint)buffers.Output(i);
            buffers.OutputBytes[i] = bytes.Length;
        }

        return null;
    }

    /// <summary>A tensor, a tuple of them (a value tuple of up to five) or an array; null for anything else.</summary>
    private static torch.Tensor[]? Tensors(object? answer) => answer switch
    {
        torch.Tensor one => [one],
        torch.Tensor[] several => several,
        ITuple tuple when Enumerable.Range(0, tuple.Length).All(i => tuple[i] is torch.Tensor) => [.. Enumerable.Range(0, tuple.Length).Select(i => (torch.Tensor)tuple[i]!)],
        _ => null,
    };

    private static bool Misfit(TensorSpec spec, long[] shape)
    {
        if (shape.Length != spec.Rank) return true;
        for (var i = 0; i < shape.Length; i++)
            if (spec.Dimensions[i] >= 0 && spec.Dimensions[i] != shape[i]) return true;
        return false;
    }
}

/// <summary>Element types as TorchSharp names them.</summary>
internal static class TorchSharpTypes
{
    public static torch.ScalarType Of(ElementType type) => type switch
    {
        ElementType.Float32 => torch.ScalarType.Float32,
        ElementType.Float64 => torch.ScalarType.Float64,
        ElementType.Float16 => torch.ScalarType.Float16,
        ElementType.UInt8 => torch.ScalarType.Byte,
        ElementType.Int8 => torch.ScalarType.Int8,
        ElementType.Int16 => torch.ScalarType.Int16,
        ElementType.Int32 => torch.ScalarType.Int32,
        ElementType.Int64 => torch.ScalarType.Int64,
        ElementType.Bool => torch.ScalarType.Bool,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "no such type in TorchSharp"),
    };
}
