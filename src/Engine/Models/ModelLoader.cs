using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Determinism;
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

    private unsafe ModelLane Open(ModelOptions options, NativeBuffer bytes, long length, Hash256 identity)
    {
        var model = backend.Open(options.Name, new ReadOnlyNativeMemory(bytes.Pointer, length), options.Execution);
        try
        {
            var shape = new ModelShape(model.Inputs, model.Outputs);
            var probe = options.Determinism is null ? Probe(model, options) : null;
            if (probe is not null) options = Padded(options, probe.Rule);
            var determinism = options.Determinism ?? probe!.Class;
            var context = new StatementContext(
                options.Name, options.Version, identity, model.Fingerprint, determinism, (uint)options.PaddingMultiple, (uint)options.MinimumRows);
            // Neighbours change the answers of class C: sharing calls would make them irreproducible.
            var separate = determinism == DeterminismClass.C && options.BatchAcrossCallers == BatchAcrossCallers.Auto;
            var batchable = options.AllowBatching && !separate && shape.OutputsFollowRows;
            var info = new ModelInfo(options, context, model.Inputs, model.Outputs, batchable, length) { Probe = probe };
            var lane = new ModelLane(info, shape, model, services);
            lane.Start();
            return lane;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private ProbeReport Probe(IBackendModel model, ModelOptions options)
    {
        using var probe = new DeterminismProbe(model, options, services.Time);
        return probe.Run();
    }

    /// <summary>The options under a padding rule; a limit that is no multiple is rounded down, so that no call executes more rows than it allows.</summary>
    private static ModelOptions Padded(ModelOptions options, PaddingRule rule)
    {
        var most = ProbePlan.LargestBatch(rule, options.MaxBatch);
        return options with
        {
            PaddingMultiple = rule.Multiple,
            MinimumRows = rule.MinimumRows,
            MaxBatch = most,
            MaxRowsPerRequest = options.MaxRowsPerRequest is { } rows ? Math.Min(rows, most) : null,
        };
    }
}
