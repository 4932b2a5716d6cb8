namespace OpenGradient.Engine.Attestation.Tests.Verification.Nitro;

/// <summary>Spoils evidence in the ways that parsers fall over: flips, cuts, repeats, lengths and noise. Seeded.</summary>
internal sealed class SpoiledBytes(int seed)
{
    private readonly Random _random = new(seed);

    public static int Inputs => Vectors.Inputs;

    public byte[] From(IReadOnlyList<byte[]> seeds)
    {
        var bytes = _random.Next(50) == 0 ? Noise() : (byte[])seeds[_random.Next(seeds.Count)].Clone();
        for (var changes = _random.Next(1, 5); changes > 0 && bytes.Length > 0; changes--) bytes = Change(bytes);
        return bytes;
    }

    private byte[] Change(byte[] bytes)
    {
        var at = _random.Next(bytes.Length);
        var length = _random.Next(1, Math.Min(64, bytes.Length - at) + 1);
        switch (_random.Next(7))
        {
            case 0: bytes[at] ^= (byte)(1 << _random.Next(8)); return bytes;
            case 1: bytes[at] = (byte)_random.Next(256); return bytes;
            case 2: return bytes[..at];
            case 3: return [.. bytes[..at], .. bytes[(at + length)..]];
            case 4: return [.. bytes[..at], .. bytes.AsSpan(at, length), .. bytes[at..]];
            case 5: bytes.AsSpan(at, length).Fill((byte)(_random.Next(2) * 255)); return bytes;
            default: _random.NextBytes(bytes.AsSpan(at, length)); return bytes;
        }
    }

    private byte[] Noise()
    {
        var noise = new byte[_random.Next(1, 4096)];
        _random.NextBytes(noise);
        return noise;
    }
}
