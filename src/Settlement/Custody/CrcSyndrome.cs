using System.Numerics;

namespace OpenGradient.Engine.Settlement.Custody;

/// <summary>
/// Finds the one wrong byte under a CRC32C. A CRC is linear: what the checksum is off by tells which byte, changed by how
/// much, brings it about.
/// </summary>
internal static class CrcSyndrome
{
    private static readonly uint[] Table = [.. Enumerable.Range(0, 256).Select(value => BitOperations.Crc32C(0u, (byte)value))];

    // Which entry of the table has this as its highest byte: each occurs once, so that a step can be taken back.
    private static readonly byte[] ByHighest = Highest();

    /// <summary>The position of the wrong byte and the bits that are wrong in it.</summary>
    /// <param name="off">Stored checksum XOR computed checksum.</param>
    /// <param name="covered">Bytes under the checksum. A position from here on is within the stored checksum itself, little-endian.</param>
    /// <returns>Null when no single byte explains it, or more than one does.</returns>
    public static (int Position, byte Mask)? Locate(uint off, int covered)
    {
        if (off == 0) return null;
        (int Position, byte Mask)? found = null;
        var state = off;
        for (var position = covered - 1; position >= 0; position--)
        {
            var mask = ByHighest[state >> 24];
            if (Table[mask] == state)
            {
                if (found is not null) return null;
                found = (position, mask);
            }

            state = ((state ^ Table[mask]) << 8) | mask;
        }

        for (var i = 0; i < 4; i++)
        {
            if ((off & ~(0xffu << (8 * i))) != 0) continue;
            if (found is not null) return null;
            found = (covered + i, (byte)(off >> (8 * i)));
        }

        return found;
    }

    private static byte[] Highest()
    {
        var highest = new byte[256];
        for (var value = 0; value < 256; value++) highest[Table[value] >> 24] = (byte)value;
        return highest;
    }
}
