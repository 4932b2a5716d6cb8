using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Serving;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Models;

/// <summary>From a file to a lane ready to serve. The bytes that are hashed are the bytes that are opened: the file is read once.</summary>
internal sealed class ModelLoader(IModelBackend backend, LaneServices services)
{
    // A protobuf message, and so an ONNX file, cannot be larger.
    private const long MaxFileSize = int.MaxValue;

    /// <exception cref="ModelLoadException">The model cannot be served.</exception>
    public async Task<ModelLane> LoadAsync(ModelOptions options, CancellationToken cancellationToken)
    {
        using var bytes = new NativeBuffer();
        var (length, identity) = await Task.Run(() => Read(options, bytes, cancellationToken), cancellationToken).ConfigureAwait(false);
        // Opening and warming take long and cannot be interrupted: off the caller's thread.
        return await Task.Run(() => Open(options, bytes, length, identity), CancellationToken.None).ConfigureAwait(false);
    }

    private static unsafe (long Length, Hash256 Identity) Read(ModelOptions options, NativeBuffer bytes, CancellationToken cancellationToken)
    {
        try
        {
            using var file = File.OpenHandle(options.Path, options: FileOptions.SequentialScan);
            using var identity = new ModelIdentity();
            var length = RandomAccess.GetLength(file);
            if (length == 0) throw new ModelLoadException(ModelLoadReason.Empty, $"the file of model '{options.Name}' ('{options.Path}') is empty");
            if (length > MaxFileSize) throw new ModelLoadException(ModelLoadReason.Unsupported, $"the file of model '{options.Name}' is {length} bytes, more than {MaxFileSize}");
            bytes.Reserve(length);
            for (long offset = 0; offset < length;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var chunk = new Span<byte>(bytes.Pointer + offset, (int)Math.Min(ModelIdentity.ChunkSize, length - offset));
                var read = RandomAccess.Read(file, chunk, offset);
                if (read == 0) throw new ModelLoadException(ModelLoadReason.Unreadable, $"the file of model '{options.Name}' ('{options.Path}') shrank while it was read");
                identity.Append(chunk[..read]);
                offset += read;
            }

            return (length, identity.Finish());
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ModelLoadException(ModelLoadReason.Unreadable, $"the file of model '{options.Name}' ('{options.Path}') cannot be read: {error.Message}", error);
        }
    }

    private ModelLane Open(ModelOptions options, NativeBuffer bytes, long length, Hash256 identity)
    {
        try
        {
            return OpenLane(options, bytes, length, identity);
        }
        catch (Exception error) when (error is OverflowException or OutOfMemoryException or OnnxRuntime.OnnxRuntimeException)
        {
            throw new ModelLoadException(ModelLoadReason.Unsupported, $"model '{options.Name}' cannot be served: {error.Message}", error);
        }
    }

    private unsafe ModelLane OpenLane(ModelOptions options, NativeBuffer bytes, long length, Hash256 identity)
    {
        var model = backend.Open(options.Name, new ReadOnlyNativeMemory(bytes.Pointer, length), options.Execution);
        try
        {
            foreach (var spec in model.Inputs) CheckSize(spec, options);
            var shape = new ModelShape(model.Inputs, model.Outputs);
            var context = new StatementContext(
                options.Name, options.Version, identity, model.Fingerprint, options.Determinism, (uint)options.PaddingMultiple);
            // Neighbours change the answers of class C: sharing calls would make them irreproducible.
            var batchable = options.AllowBatching && options.Determinism != DeterminismClass.C && shape.OutputsFollowRows;
            var lane = new ModelLane(new ModelInfo(options, context, model.Inputs, model.Outputs, batchable, length), shape, model, services);
            lane.Start();
            return lane;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>No request could hold such a row, and the buffers for it would be taken at load.</summary>
    private static void CheckSize(TensorSpec spec, ModelOptions options)
    {
        var first = spec.Rank > 0 ? Math.Max(1, spec.Dimensions[0]) : 1;
        if (spec.StaticRowBytes > options.MaxRequestBytes / first)
            throw new ModelLoadException(ModelLoadReason.Unsupported, $"model '{options.Name}': input '{spec.Name}' ({spec}) takes more than the {options.MaxRequestBytes} bytes that a request may have");
    }
}
