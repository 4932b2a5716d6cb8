using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Log;

namespace OpenGradient.Engine.Benchmarks.Settlement.Soak;

/// <summary>Reads a published log's files as anyone can: C2SP tlog-tiles.</summary>
internal static class PublishedLog
{
    /// <summary>The leaf hash of every entry: bundles of 256, the last one partial; an entry is u16 length and bytes.</summary>
    /// <exception cref="FormatException">A bundle is not laid out like that.</exception>
    public static Hash256[] Leaves(string folder)
    {
        var leaves = new List<Hash256>();
        for (ulong index = 0; ; index++)
        {
            var width = TilePath.Width;
            while (width > 0 && !File.Exists(Path.Combine(folder, TilePath.Entries(index, width)))) width--;
            if (width == 0) return [.. leaves];
            var bundle = File.ReadAllBytes(Path.Combine(folder, TilePath.Entries(index, width))).AsSpan();
            for (var entry = 0; entry < width; entry++)
            {
                var length = bundle.Length < 2 ? int.MaxValue : BinaryPrimitives.ReadUInt16BigEndian(bundle);
                if (length > bundle.Length - 2) throw new FormatException($"entry bundle {index} is cut off");
                leaves.Add(MerkleTree.LeafHash(bundle.Slice(2, length)));
                bundle = bundle[(2 + length)..];
            }

            if (!bundle.IsEmpty) throw new FormatException($"bytes behind the last entry of bundle {index}");
            if (width < TilePath.Width) return [.. leaves];
        }
    }

    /// <summary>Size and root of the checkpoint.</summary>
    public static (ulong Size, Hash256 Root) Checkpoint(string folder)
    {
        var lines = File.ReadAllText(Path.Combine(folder, TilePath.Checkpoint), Encoding.UTF8).Split('\n');
        return (ulong.Parse(lines[1], CultureInfo.InvariantCulture), new Hash256(Convert.FromBase64String(lines[2])));
    }
}
