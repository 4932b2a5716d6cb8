using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Benchmarks.Models;

namespace OpenGradient.Engine.Benchmarks.Replay;

/// <summary>By the backend alone: this program fills the batch itself, so that nothing of the engine that answered is trusted.</summary>
internal sealed class DirectReplay : IRowReplay
{
    // Distinct rows that neighbours are drawn from.
    private const int Pool = 64;

    private readonly DirectRows _direct;
    private readonly byte[][][] _pool;
    private readonly int _outputs;

    public DirectReplay(IModelBackend backend, ModelInfo model, int seed)
    {
        _direct = new DirectRows(backend, model.Name, model.Options.Path);
        _pool = new RowSet(_direct.Inputs, Pool, ~seed).Rows;
        _outputs = model.Outputs.Count;
    }

    public byte[][] Execute(byte[][] inputs, int rows, int batchRows, int firstSlot, int neighbours)
    {
        var random = new Random(neighbours);
        _direct.Prepare(batchRows);
        for (var slot = 0; slot < batchRows; slot++)
            if (slot < firstSlot || slot >= firstSlot + rows) _direct.Put(slot, _pool[random.Next(Pool)]);
        _direct.Put(firstSlot, inputs);
        _direct.Execute();
        return [.. Enumerable.Range(0, _outputs).Select(output => _direct.Output(output, firstSlot, rows).ToArray())];
    }

    public void Dispose() => _direct.Dispose();
}
