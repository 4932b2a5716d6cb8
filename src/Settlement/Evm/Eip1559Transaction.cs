using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Evm;

/// <summary>A type 2 transaction (EIP-1559) without an access list. Amounts in wei.</summary>
/// <param name="To">Null creates a contract.</param>
public sealed record Eip1559Transaction(
    ulong ChainId, ulong Nonce, UInt128 MaxPriorityFee, UInt128 MaxFee, ulong GasLimit, EvmAddress? To, UInt128 Value, ReadOnlyMemory<byte> Data)
{
    private const byte Type = 2;

    /// <summary>What the sender signs.</summary>
    public Hash256 SigningHash() => Keccak256.Hash(SigningPayload());

    /// <summary>The bytes whose hash the sender signs.</summary>
    public byte[] SigningPayload() => Fields().ToList(Type);

    /// <summary>The raw transaction that a node takes.</summary>
    /// <param name="signature">65 bytes, r ‖ s ‖ v with v 0 or 1.</param>
    public byte[] Encode(ReadOnlySpan<byte> signature)
    {
        if (signature.Length != 65 || signature[64] > 1) throw new ArgumentException("a signature is r ‖ s ‖ v, 65 bytes with v 0 or 1", nameof(signature));
        return Fields().Integer(signature[64]).Integer(signature[..32]).Integer(signature[32..64]).ToList(Type);
    }

    public static Hash256 HashOf(ReadOnlySpan<byte> raw) => Keccak256.Hash(raw);

    private RlpWriter Fields() => new RlpWriter()
        .Integer(ChainId)
        .Integer(Nonce)
        .Integer(MaxPriorityFee)
        .Integer(MaxFee)
        .Integer(GasLimit)
        .Bytes(To is { } to ? to.ToArray() : [])
        .Integer(Value)
        .Bytes(Data.Span)
        .List(new RlpWriter());
}
