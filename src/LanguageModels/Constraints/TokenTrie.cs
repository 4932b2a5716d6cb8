using System.Text;

namespace OpenGradient.Engine.LanguageModels.Constraints;

/// <summary>Tokens by their bytes: the nodes of a tree in the order of a walk, so that a walk is a loop and skipping a subtree is a jump. Immutable.</summary>
internal sealed class TokenTrie
{
    /// <summary>Longer tokens are never allowed: published vocabularies stay far below.</summary>
    public const int MaxTokenBytes = 512;

    private readonly List<byte> _bytes = [];
    private readonly List<ushort> _depths = [];
    private readonly List<int> _ends = [];
    private readonly List<int> _firstTokens = [];
    private readonly int[] _tokens;

    /// <param name="tokens">Ids to take.</param>
    /// <param name="bytesOf">1 to <see cref="MaxTokenBytes"/> bytes of each.</param>
    public TokenTrie(IEnumerable<int> tokens, Func<int, ReadOnlyMemory<byte>> bytesOf)
    {
        _tokens = [.. tokens];
        Array.Sort(_tokens, (x, y) => bytesOf(x).Span.SequenceCompareTo(bytesOf(y).Span) is var order && order != 0 ? order : x.CompareTo(y));
        var path = new Stack<int>();
        ReadOnlySpan<byte> last = default;
        for (var i = 0; i < _tokens.Length; i++)
        {
            var bytes = bytesOf(_tokens[i]).Span;
            Longest = Math.Max(Longest, bytes.Length);
            var shared = bytes.CommonPrefixLength(last);
            while (path.Count > shared) _ends[path.Pop()] = _bytes.Count;
            for (var depth = shared; depth < bytes.Length; depth++)
            {
                path.Push(_bytes.Count);
                _bytes.Add(bytes[depth]);
                _depths.Add((ushort)depth);
                _ends.Add(0);
                // Tokens of a node and of those below it stand together: the next node's first token ends this one's.
                _firstTokens.Add(i);
            }

            last = bytes;
        }

        while (path.TryPop(out var node)) _ends[node] = _bytes.Count;
        _firstTokens.Add(_tokens.Length);
    }

    public int Count => _bytes.Count;

    /// <summary>Bytes of the longest token.</summary>
    public int Longest { get; }

    public byte ByteAt(int node) => _bytes[node];

    /// <summary>0 for the first byte of a token.</summary>
    public int DepthAt(int node) => _depths[node];

    /// <summary>The node after the last one below.</summary>
    public int EndOf(int node) => _ends[node];

    /// <summary>Tokens whose last byte the node is.</summary>
    public ReadOnlySpan<int> TokensAt(int node)
    {
        var first = _firstTokens[node];
        // A node that begins with a token of its children has none of its own.
        return node + 1 < _bytes.Count && _firstTokens[node + 1] == first && _depths[node + 1] == _depths[node] + 1
            ? []
            : _tokens.AsSpan(first, _firstTokens[node + 1] - first);
    }
}
