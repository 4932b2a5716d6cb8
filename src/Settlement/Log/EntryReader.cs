using System.Buffers.Binary;

namespace OpenGradient.Engine.Settlement.Log;

/// <summary>Reads statements back out of the published full entry bundles. Keeps the bundle read last, because readers go through leaves in order. Safe for concurrent calls.</summary>
internal sealed class EntryReader(TileStore store)
{
    private const int MaxBundle = TilePath.Width * (2 + ushort.MaxValue);

    private sealed record Bundle(ulong Index, byte[] Bytes);

    private volatile Bundle? _last;

    /// <summary>The entry's bytes; null when its bundle is not full, not there or cut. Whoever reads checks the leaf's hash.</summary>
    public byte[]? Read(ulong leaf)
    {
        var index = leaf / TilePath.Width;
        if (_last is not { } bundle || bundle.Index != index)
        {
            if (store.Read(TilePath.Entries(index, TilePath.Width), MaxBundle) is not { } bytes) return null;
            _last = bundle = new(index, bytes);
        }

        var rest = bundle.Bytes.AsSpan();
        for (var skip = leaf % TilePath.Width; ; skip--)
        {
            if (rest.Length < 2 || BinaryPrimitives.ReadUInt16BigEndian(rest) is var length && rest.Length < 2 + length) return null;
            if (skip == 0) return rest.Slice(2, length).ToArray();
            rest = rest[(2 + length)..];
        }
    }
}
