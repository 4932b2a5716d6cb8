namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>One field of a protobuf message. <see cref="Payload"/> is empty unless the field is length-delimited.</summary>
/// <param name="number">The field's number.</param>
/// <param name="isMessage">Whether it is length-delimited: bytes, text or a message.</param>
/// <param name="value">The value of a varint field.</param>
/// <param name="payload">The bytes of a length-delimited field.</param>
/// <param name="start">Where the field's key begins in its message.</param>
/// <param name="end">Where the next field begins.</param>
internal readonly ref struct ProtoField(int number, bool isMessage, ulong value, ReadOnlySpan<byte> payload, int start, int end)
{
    public int Number { get; } = number;

    public bool IsMessage { get; } = isMessage;

    public ulong Value { get; } = value;

    public ReadOnlySpan<byte> Payload { get; } = payload;

    public int Start { get; } = start;

    public int End { get; } = end;
}

/// <summary>
/// Reads the fields of one protobuf message in order (protobuf.dev, "Encoding"). Stricter than protobuf's own reader: what
/// that one reads in another way than this one (groups, keys beyond 32 bits) is refused, so that both see the same fields.
/// </summary>
internal ref struct ProtoReader(ReadOnlySpan<byte> message)
{
    private const int Varint = 0, Fixed64 = 1, LengthDelimited = 2, Fixed32 = 5;
    private const int MaxVarintBytes = 10;

    private readonly ReadOnlySpan<byte> _message = message;
    private int _at;

    /// <summary>False at the message's end.</summary>
    /// <exception cref="OnnxFileException">The bytes are not protobuf.</exception>
    public bool TryRead(out ProtoField field)
    {
        field = default;
        if (_at == _message.Length) return false;
        var start = _at;
        var key = ReadVarint();
        if (key is < 8 or > uint.MaxValue) throw Malformed();
        ulong value = 0;
        var payload = default(ReadOnlySpan<byte>);
        var type = (int)(key & 7);
        switch (type)
        {
            case Varint: value = ReadVarint(); break;
            case Fixed64: Take(sizeof(ulong)); break;
            case LengthDelimited: payload = Take(ReadVarint()); break;
            case Fixed32: Take(sizeof(uint)); break;
            default: throw Malformed();
        }

        field = new ProtoField((int)(key >> 3), type == LengthDelimited, value, payload, start, _at);
        return true;
    }

    private ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)(_message.Length - _at)) throw Malformed();
        var taken = _message.Slice(_at, (int)count);
        _at += (int)count;
        return taken;
    }

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (var i = 0; i < MaxVarintBytes && _at < _message.Length; i++)
        {
            var part = _message[_at++];
            value |= (ulong)(part & 0x7f) << (7 * i);
            if ((part & 0x80) == 0) return value;
        }

        throw Malformed();
    }

    private static OnnxFileException Malformed() => new(ModelLoadReason.Corrupt, "the file is not ONNX, or is cut off: its protobuf is malformed");
}

/// <summary>What is wrong with an ONNX file; becomes a <see cref="ModelLoadException"/> that names the model.</summary>
internal sealed class OnnxFileException(ModelLoadReason reason, string message) : Exception(message)
{
    public ModelLoadReason Reason { get; } = reason;
}
