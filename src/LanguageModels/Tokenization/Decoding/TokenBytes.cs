namespace OpenGradient.Engine.LanguageModels.Tokenization.Decoding;

/// <summary>What every token adds inside of a text, in one block of bytes.</summary>
internal sealed class TokenBytes
{
    private readonly byte[] _bytes;
    private readonly int[] _ends;

    public TokenBytes(int count, Func<int, byte[]> bytesOf)
    {
        var bytes = new MemoryStream();
        _ends = new int[count];
        for (var token = 0; token < count; token++)
        {
            bytes.Write(bytesOf(token));
            _ends[token] = checked((int)bytes.Length);
        }

        _bytes = bytes.ToArray();
    }

    /// <summary>Empty for an id that is no token's.</summary>
    public ReadOnlySpan<byte> this[int token] =>
        (uint)token >= (uint)_ends.Length ? default : _bytes.AsSpan(token == 0 ? 0 : _ends[token - 1], _ends[token] - (token == 0 ? 0 : _ends[token - 1]));
}
