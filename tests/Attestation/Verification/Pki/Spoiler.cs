namespace OpenGradient.Engine.Attestation.Tests.Verification.Pki;

/// <summary>Spoils bytes for fuzzing; the result is never the original.</summary>
internal static class Spoiler
{
    public static byte[] Spoil(ReadOnlySpan<byte> original, Random random)
    {
        while (true)
        {
            var bytes = original.ToArray();
            for (var edits = random.Next(1, 4); edits > 0; edits--) bytes = Edit(bytes, random);
            if (!bytes.AsSpan().SequenceEqual(original)) return bytes;
        }
    }

    private static byte[] Edit(byte[] bytes, Random random)
    {
        if (bytes.Length == 0) return [(byte)random.Next(256)];
        var at = random.Next(bytes.Length);
        var length = random.Next(Math.Min(64, bytes.Length - at));
        switch (random.Next(6))
        {
            case 0:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 1:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 2:
                return bytes[..at];
            case 3:
                return [.. bytes.AsSpan(0, at), .. bytes.AsSpan(at + length)];
            case 4:
                return [.. bytes.AsSpan(0, at), .. bytes.AsSpan(at, length), .. bytes.AsSpan(at)];
            default:
                random.NextBytes(bytes.AsSpan(at, length));
                return bytes;
        }
    }
}
