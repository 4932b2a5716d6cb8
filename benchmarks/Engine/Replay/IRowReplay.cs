namespace OpenGradient.Engine.Benchmarks.Replay;

/// <summary>Executes a committed request again as its receipt says it was executed. Used by one thread.</summary>
internal interface IRowReplay : IDisposable
{
    /// <param name="inputs">The request's bytes by input.</param>
    /// <param name="rows">Rows of the request.</param>
    /// <param name="batchRows">Rows of the batch, padding included.</param>
    /// <param name="firstSlot">Where the request stood in it.</param>
    /// <param name="neighbours">Seed of what stands in every other slot.</param>
    /// <returns>The request's bytes by output.</returns>
    byte[][] Execute(byte[][] inputs, int rows, int batchRows, int firstSlot, int neighbours);
}
