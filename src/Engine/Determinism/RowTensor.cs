namespace OpenGradient.Engine.Determinism;

/// <summary>One tensor of one request, its memory lent.</summary>
/// <param name="Shape">All dimensions, the first being the request's rows where the model has rows.</param>
/// <param name="Data">Little-endian bytes of exactly that shape.</param>
public readonly record struct RowTensor(ReadOnlyMemory<long> Shape, ReadOnlyMemory<byte> Data);
