using System.Security.Cryptography;

namespace OpenGradient.Engine.Formats;

/// <summary>
/// Identity of a model artifact, built while its bytes stream by (docs/formats.md, "Batch statement"). One instance per
/// file; not safe for concurrent calls.
/// </summary>
public sealed class ModelIdentity : IDisposable
{
    public const int ChunkSize = 4 << 20;

    private readonly IncrementalHash _chunk = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly List<Hash256> _leaves = [];
    private int _filled;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_filled == 0) _chunk.AppendData([0]);
            var take = Math.Min(bytes.Length, ChunkSize - _filled);
            _chunk.AppendData(bytes[..take]);
            _filled += take;
            bytes = bytes[take..];
            if (_filled == ChunkSize) EndChunk();
        }
    }

    /// <summary>The root over the file's chunks; the instance is spent afterwards.</summary>
    public Hash256 Finish()
    {
        if (_filled > 0) EndChunk();
        return MerkleTree.Root(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_leaves));
    }

    /// <summary>The identity of several files, given as (name, root).</summary>
    /// <exception cref="ArgumentException">A name occurs twice.</exception>
    public static Hash256 OfFiles(IEnumerable<(string Name, Hash256 Root)> files)
    {
        var named = files.Select(file => (Name: Names.ToUtf8(file.Name), file.Root));
        var leaves = Names.Ordered(named, file => file.Name)
            .Select(file => MerkleTree.LeafHash(new ByteWriter().U16(file.Name.Length).Bytes(file.Name).Hash(file.Root).ToArray()))
            .ToArray();
        // Tagged, so that no single file's content has the identity of a list of files.
        return Hash256.Sha256(new ByteWriter().Tag("OGE files v1"u8).Hash(MerkleTree.Root(leaves)).ToArray());
    }

    public void Dispose() => _chunk.Dispose();

    private void EndChunk()
    {
        _leaves.Add(new Hash256(_chunk.GetHashAndReset()));
        _filled = 0;
    }
}
