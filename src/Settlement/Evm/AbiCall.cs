using System.Buffers.Binary;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Evm;

/// <summary>A call's bytes: selector, static words, and tails of byte strings.</summary>
internal sealed class AbiCall
{
    private const int Word = 32;

    private readonly List<byte> _out = [];

    public AbiCall(ReadOnlySpan<byte> signature) => _out.AddRange(Keccak256.Hash(signature).Bytes[..4]);

    public AbiCall Hash(in Hash256 value) => Bytes(value.Bytes);

    public AbiCall Address(EvmAddress value) => Bytes(LedgerAbi.Topic(value).Bytes);

    public AbiCall Number(ulong value)
    {
        Span<byte> word = stackalloc byte[Word];
        word.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(word[24..], value);
        return Bytes(word);
    }

    public AbiCall Bytes(ReadOnlySpan<byte> value)
    {
        _out.AddRange(value);
        return this;
    }

    /// <summary>A byte string's tail: length, bytes, zeros to a whole word.</summary>
    public AbiCall Padded(ReadOnlySpan<byte> value)
    {
        Number((ulong)value.Length).Bytes(value);
        _out.AddRange(new byte[(Word - (value.Length % Word)) % Word]);
        return this;
    }

    /// <summary>A signature's tail, with the contract's v.</summary>
    public AbiCall Signature(ReadOnlySpan<byte> signature) => Padded([.. signature[..64], (byte)(signature[64] + 27)]);

    public byte[] ToArray() => [.. _out];
}
