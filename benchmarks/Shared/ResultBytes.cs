namespace OpenGradient.Engine.Benchmarks;

internal static class ResultBytes
{
    /// <summary>Copies all outputs, one after the other in the model's order.</summary>
    public static void CopyOutputs(this in InferenceResult result, Span<byte> into)
    {
        for (var i = 0; i < result.Outputs.Count; i++)
        {
            var bytes = result.Bytes(i);
            bytes.CopyTo(into);
            into = into[bytes.Length..];
        }
    }
}
