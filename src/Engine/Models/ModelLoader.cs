using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Determinism;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Serving;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Models;

/// <summary>From a file to a lane ready to serve. The bytes that are hashed are the bytes that are opened: files are read once.</summary>
internal sealed class ModelLoader(IModelBackend backend, LaneServices services)
{
    private readonly ArtifactReader _reader = new(backend);

    /// <exception cref="ModelLoadException">The model cannot be served.</exception>
    public async Task<ModelLane> LoadAsync(ModelOptions options, CancellationToken cancellationToken)
    {
        // Freed after opening, unless the backend still refers to it.
        using var artifact = await Task.Run(() => _reader.Read(options, cancellationToken), cancellationToken).ConfigureAwait(false);
        // Opening and warming take long and cannot be interrupted: off the caller's thread.
        return await Task.Run(() => Open(options, artifact), CancellationToken.None).ConfigureAwait(false);
    }

    private ModelLane Open(ModelOptions options, ModelArtifact artifact)
    {
        try
        {
            return OpenLane(options, artifact);
        }
        catch (Exception error) when (error is OverflowException or OutOfMemoryException or OnnxRuntime.OnnxRuntimeException or Torch.TorchException)
        {
            throw new ModelLoadException(ModelLoadReason.Unsupported, $"model '{options.Name}' cannot be served: {error.Message}", error);
        }
    }

    private ModelLane OpenLane(ModelOptions options, ModelArtifact artifact)
    {
        var model = backend.Open(options.Name, artifact, options.Execution);
        try
        {
            foreach (var spec in model.Inputs) CheckSize(spec, options);
            // By what executes, not by what was asked for: the CPU may stand in for a GPU that is not there.
            if (model.Fingerprint.Provider == "cuda") options = options with { Workers = options.Workers ?? ModelOptions.WorkersOnGpu };
            var shape = new ModelShape(model.Inputs, model.Outputs);
            var probe = options.Determinism is null ? Probe(model, options) : null;
            if (probe is not null) options = Padded(options, probe.Rule);
            var determinism = options.Determinism ?? probe!.Class;
            var context = new StatementContext(
                options.Name, options.Version, artifact.Identity, model.Fingerprint, determinism, (uint)options.PaddingMultiple, (uint)options.MinimumRows);
            // Neighbours change the answers of class C: sharing calls would make them irreproducible.
            var separate = determinism == DeterminismClass.C && options.BatchAcrossCallers == BatchAcrossCallers.Auto;
            var batchable = options.AllowBatching && !separate && shape.OutputsFollowRows;
            var info = new ModelInfo(options, context, model.Inputs, model.Outputs, batchable, artifact.Length) { Probe = probe };
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

    /// <summary>No request could hold such a row, and the buffers for it would be taken at load.</summary>
    private static void CheckSize(TensorSpec spec, ModelOptions options)
    {
        var first = spec.Rank > 0 ? Math.Max(1, spec.Dimensions[0]) : 1;
        if (spec.StaticRowBytes > options.MaxRequestBytes / first)
            throw new ModelLoadException(ModelLoadReason.Unsupported, $"model '{options.Name}': input '{spec.Name}' ({spec}) takes more than the {options.MaxRequestBytes} bytes that a request may have");
    }
}
