using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Serving;

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
        var model = backend.Open(options.Name, artifact, options.Execution);
        try
        {
            var shape = new ModelShape(model.Inputs, model.Outputs);
            var context = new StatementContext(
                options.Name, options.Version, artifact.Identity, model.Fingerprint, options.Determinism, (uint)options.PaddingMultiple);
            // Neighbours change the answers of class C: sharing calls would make them irreproducible.
            var batchable = options.AllowBatching && options.Determinism != DeterminismClass.C && shape.OutputsFollowRows;
            var lane = new ModelLane(new ModelInfo(options, context, model.Inputs, model.Outputs, batchable, artifact.Length), shape, model, services);
            lane.Start();
            return lane;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}
