using System.Text;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>
/// Identity of a language model: the scheme it is served in, and a tree over its tensors and the files that say what is
/// computed with them (docs/formats.md, "Identity of a language model"). Which file holds which tensor is no part of it.
/// Immutable.
/// </summary>
public sealed class LanguageModelIdentity
{
    /// <summary>Name of the part that is the root over the tensors; no file has it.</summary>
    private const string Weights = "";

    private readonly WeightScheme _scheme;
    private readonly TensorLeaf[] _tensors;
    private readonly Hash256[] _tensorHashes;
    private readonly Hash256[] _parts;

    /// <param name="tensors">Every tensor of the weight files, in any order.</param>
    /// <param name="files">Name and root (<see cref="ModelIdentity"/>) of every other file that is read, in any order.</param>
    /// <exception cref="ArgumentException">A name occurs twice.</exception>
    public LanguageModelIdentity(WeightScheme scheme, IEnumerable<TensorLeaf> tensors, IEnumerable<(string Name, Hash256 Root)> files)
    {
        _scheme = scheme;
        _tensors = Ordered(tensors, tensor => tensor.Name);
        _tensorHashes = [.. _tensors.Select(tensor => tensor.Hash())];
        // The empty name is before every other, so the tensors' root is part 0.
        var parts = Ordered(files.Append((Name: Weights, Root: MerkleTree.Root(_tensorHashes))), part => part.Name);
        _parts = [.. parts.Select(part => PartHash(part.Name, part.Root))];
        Value = Of(scheme, MerkleTree.Root(_parts));
    }

    /// <summary>The identity itself, as statements carry it.</summary>
    public Hash256 Value { get; }

    /// <summary>Ordered by the bytes of their names.</summary>
    public IReadOnlyList<TensorLeaf> Tensors => _tensors;

    /// <summary>What proves one tensor to whoever knows the identity.</summary>
    /// <exception cref="ArgumentException">The model has no such tensor.</exception>
    public TensorIdentity Open(string tensor)
    {
        var index = Array.FindIndex(_tensors, each => each.Name == tensor);
        if (index < 0) throw new ArgumentException($"the model has no tensor {Quoted.Of(tensor)}", nameof(tensor));
        return new TensorIdentity(
            _scheme, _tensors[index], index, _tensors.Length, MerkleTree.InclusionPath(_tensorHashes, index), _parts.Length, MerkleTree.InclusionPath(_parts, 0));
    }

    internal static Hash256 Of(WeightScheme scheme, Hash256 partsRoot) =>
        Hash256.Sha256(new ByteWriter().Tag("OGE language v1"u8).U8(WeightSchemes.CodeOf(scheme)).Hash(partsRoot).ToArray());

    internal static Hash256 WeightsPart(Hash256 tensorsRoot) => PartHash(Weights, tensorsRoot);

    private static Hash256 PartHash(string name, Hash256 root)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        return MerkleTree.LeafHash(new ByteWriter().U16(bytes.Length).Bytes(bytes).Hash(root).ToArray());
    }

    private static T[] Ordered<T>(IEnumerable<T> items, Func<T, string> name)
    {
        var ordered = items.Select(item => (Name: Encoding.UTF8.GetBytes(name(item)), Item: item)).ToArray();
        Array.Sort(ordered, (x, y) => x.Name.AsSpan().SequenceCompareTo(y.Name));
        for (var i = 1; i < ordered.Length; i++)
            if (ordered[i].Name.AsSpan().SequenceEqual(ordered[i - 1].Name))
                throw new ArgumentException($"the name {Quoted.Of(name(ordered[i].Item))} occurs twice", nameof(items));
        return [.. ordered.Select(each => each.Item)];
    }
}
