using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Log;

/// <summary>Brings the published files up to a tree: full tiles and bundles once, the partial ones at the edge, the checkpoint last.</summary>
public sealed class LogPublisher(TileStore store)
{
    /// <summary>Refuses a journal that knows less than, or other than, what was published before.</summary>
    /// <exception cref="LogDamagedException">The published checkpoint is not a prefix of the tree.</exception>
    public void CheckAgainst(TileTree tree)
    {
        if (store.Read(TilePath.Checkpoint, CheckpointNote.MaxSize) is not { } note) return;
        var (size, root) = Parse(note) ?? throw new LogDamagedException($"the published checkpoint in {store.Folder} is not readable");
        if (size > tree.Size)
            throw new LogDamagedException($"a checkpoint of size {size} was published, but the outbox holds only {tree.Size} entries: the outbox was truncated or restored from an old copy");
        if (tree.RootAt(size) != root)
            throw new LogDamagedException($"the published checkpoint of size {size} has another root than the outbox gives: the folders do not belong together");
    }

    /// <summary>Stores full tiles that are missing or differ; after it every full tile is on disk.</summary>
    public void StoreFullTiles(IEnumerable<KeyValuePair<(int Level, ulong Index), Hash256[]>> tiles)
    {
        foreach (var ((level, index), hashes) in tiles)
        {
            var path = TilePath.Tile(level, index, TilePath.Width);
            var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes<Hash256>(hashes);
            if (store.Read(path, bytes.Length) is { } present && bytes.SequenceEqual(present)) continue;
            store.WriteTile(level, index, hashes);
            store.DropPartials(path);
        }
    }

    /// <summary>Size of the published checkpoint; null when there is none.</summary>
    public ulong? PublishedSize() => store.Read(TilePath.Checkpoint, CheckpointNote.MaxSize) is { } note ? Parse(note)?.Size : null;

    /// <summary>Stores what a checkpoint of this size needs besides full tiles: partial tiles, missing entry bundles.</summary>
    /// <param name="size">Leaves that the checkpoint covers.</param>
    /// <param name="newest">Size of the newest checkpoint: what it makes full needs no partial file.</param>
    /// <param name="edge">Partial tiles of the tree of exactly this size.</param>
    /// <param name="entry">The entry with an index below <paramref name="size"/>.</param>
    public void StoreEdge(ulong size, ulong newest, IEnumerable<(int Level, ulong Index, Hash256[] Hashes)> edge, Func<ulong, ReadOnlyMemory<byte>> entry)
    {
        foreach (var (level, index, hashes) in edge)
            if (!store.Has(TilePath.Tile(level, index, hashes.Length)) && !store.Has(TilePath.Tile(level, index, TilePath.Width))) store.WriteTile(level, index, hashes);
        if (size / TilePath.Width == newest / TilePath.Width) StoreEntries(size, entry);
    }

    /// <summary>Stores the checkpoint; last, so that a reader finds what it needs.</summary>
    public void StoreCheckpoint(ReadOnlySpan<byte> note) => store.Write(TilePath.Checkpoint, note);

    private void StoreEntries(ulong size, Func<ulong, ReadOnlyMemory<byte>> entry)
    {
        var partial = (int)(size % TilePath.Width);
        var index = size / TilePath.Width;
        if (partial > 0 && !store.Has(TilePath.Entries(index, partial)) && !store.Has(TilePath.Entries(index, TilePath.Width))) StoreBundle(index, partial, entry);
        // Newest first: the first full bundle that is there ends the walk, because bundles are stored in order.
        var missing = new Stack<ulong>();
        while (index > 0 && !store.Has(TilePath.Entries(--index, TilePath.Width))) missing.Push(index);
        while (missing.TryPop(out var full))
        {
            StoreBundle(full, TilePath.Width, entry);
            store.DropPartials(TilePath.Entries(full, TilePath.Width));
        }
    }

    private void StoreBundle(ulong index, int width, Func<ulong, ReadOnlyMemory<byte>> entry)
    {
        var entries = new ReadOnlyMemory<byte>[width];
        for (var i = 0; i < width; i++) entries[i] = entry((index * TilePath.Width) + (ulong)i);
        store.WriteEntries(index, entries);
    }

    internal static (ulong Size, Hash256 Root)? Parse(ReadOnlySpan<byte> note)
    {
        try
        {
            var checkpoint = CheckpointNote.Parse(note);
            return (checkpoint.Size, checkpoint.Root);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
