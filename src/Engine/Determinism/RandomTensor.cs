using System.Runtime.InteropServices;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Determinism;

/// <summary>Reproducible random bits (SplitMix64): the same seed gives the same values on every machine and version.</summary>
internal struct RandomBits(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        // Constants of SplitMix64 (Steele, Lea, Flood 2014).
        var z = _state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    /// <summary>From 0 up to, but not including, the limit.</summary>
    public int Below(int limit) => (int)(Next() % (uint)limit);

    /// <summary>About normal, mean 0, variance 1: the sum of twelve uniform numbers, which every machine adds alike.</summary>
    public double Normal()
    {
        double sum = -6;
        for (var i = 0; i < 6; i++)
        {
            var bits = Next();
            sum += (uint)bits / 4294967296.0;
            sum += (uint)(bits >> 32) / 4294967296.0;
        }

        return sum;
    }
}

/// <summary>Fills tensors with random elements.</summary>
internal static class RandomTensor
{
    /// <param name="scale">Standard deviation of floats.</param>
    /// <param name="lowest">Smallest integer.</param>
    /// <param name="count">Number of different integers, from the smallest up; bools are always 0 or 1.</param>
    public static void Fill(Span<byte> bytes, ElementType type, ref RandomBits random, double scale, int lowest, int count)
    {
        switch (type)
        {
            case ElementType.Float32:
                foreach (ref var value in MemoryMarshal.Cast<byte, float>(bytes)) value = (float)(random.Normal() * scale);
                break;
            case ElementType.Float64:
                foreach (ref var value in MemoryMarshal.Cast<byte, double>(bytes)) value = random.Normal() * scale;
                break;
            case ElementType.Float16:
                foreach (ref var value in MemoryMarshal.Cast<byte, Half>(bytes)) value = (Half)(random.Normal() * scale);
                break;
            case ElementType.Bool:
                foreach (ref var value in bytes) value = (byte)random.Below(2);
                break;
            default:
                FillIntegers(bytes, ElementTypes.SizeOf(type), ref random, lowest, count);
                break;
        }
    }

    private static void FillIntegers(Span<byte> bytes, int size, ref RandomBits random, int lowest, int count)
    {
        // Small and not negative, so that every integer type holds it, little-endian, in its first bytes.
        for (var at = 0; at < bytes.Length; at += size)
        {
            var value = (ulong)(lowest + random.Below(count));
            for (var i = 0; i < size; i++) bytes[at + i] = (byte)(value >> (8 * i));
        }
    }
}
