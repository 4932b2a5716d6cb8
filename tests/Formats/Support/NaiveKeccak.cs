namespace OpenGradient.Engine.Formats.Tests.Support;

/// <summary>Keccak-256 as FIPS 202 §3.2 describes the steps, with constants computed rather than listed.</summary>
internal static class NaiveKeccak
{
    private const int Rate = 136;

    public static byte[] Hash(ReadOnlySpan<byte> message)
    {
        var padded = new byte[(message.Length / Rate + 1) * Rate];
        message.CopyTo(padded);
        padded[message.Length] |= 0x01;
        padded[^1] |= 0x80;

        var state = new ulong[5, 5];
        for (var block = 0; block < padded.Length; block += Rate)
        {
            for (var lane = 0; lane < Rate / 8; lane++)
                state[lane % 5, lane / 5] ^= BitConverter.ToUInt64(padded, block + 8 * lane);
            for (var round = 0; round < 24; round++) state = Round(state, round);
        }

        var digest = new byte[32];
        for (var i = 0; i < 32; i++) digest[i] = (byte)(state[i / 8 % 5, i / 40] >> (8 * (i % 8)));
        return digest;
    }

    private static ulong[,] Round(ulong[,] a, int round)
    {
        var theta = new ulong[5, 5];
        ulong Parity(int x) => a[x, 0] ^ a[x, 1] ^ a[x, 2] ^ a[x, 3] ^ a[x, 4];
        for (var x = 0; x < 5; x++)
            for (var y = 0; y < 5; y++) theta[x, y] = a[x, y] ^ Parity((x + 4) % 5) ^ ulong.RotateLeft(Parity((x + 1) % 5), 1);

        var offsets = new int[5, 5];
        var (ox, oy) = (1, 0);
        for (var t = 0; t < 24; t++)
        {
            offsets[ox, oy] = (t + 1) * (t + 2) / 2 % 64;
            (ox, oy) = (oy, (2 * ox + 3 * oy) % 5);
        }

        var pi = new ulong[5, 5];
        for (var x = 0; x < 5; x++)
            for (var y = 0; y < 5; y++) pi[y, (2 * x + 3 * y) % 5] = ulong.RotateLeft(theta[x, y], offsets[x, y]);

        var chi = new ulong[5, 5];
        for (var x = 0; x < 5; x++)
            for (var y = 0; y < 5; y++) chi[x, y] = pi[x, y] ^ (~pi[(x + 1) % 5, y] & pi[(x + 2) % 5, y]);

        for (var j = 0; j <= 6; j++)
            if (RoundBit(j + 7 * round)) chi[0, 0] ^= 1UL << ((1 << j) - 1);
        return chi;
    }

    private static bool RoundBit(int t)
    {
        var register = 1;
        for (var i = 0; i < t % 255; i++)
        {
            register <<= 1;
            if ((register & 0x100) != 0) register ^= 0x171;
        }

        return (register & 1) != 0;
    }
}
