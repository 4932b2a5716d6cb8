namespace OpenGradient.Engine.Torch;

/// <summary>What libtorch's allocator holds of a device, in bytes. On the CPU libtorch counts nothing: all but <paramref name="Resident"/> and <paramref name="OutOfMemory"/> is 0.</summary>
/// <param name="Allocated">In tensors now.</param>
/// <param name="AllocatedPeak">The most since the start.</param>
/// <param name="Reserved">Taken from the device, cached memory included.</param>
/// <param name="ReservedPeak">The most since the start.</param>
/// <param name="Pinned">Page-locked host memory.</param>
/// <param name="Resident">Of the process, as the kernel counts it.</param>
/// <param name="OutOfMemory">How many calls found too little; no bytes.</param>
public sealed record TorchMemory(ulong Allocated, ulong AllocatedPeak, ulong Reserved, ulong ReservedPeak, ulong Pinned, ulong Resident, ulong OutOfMemory);
