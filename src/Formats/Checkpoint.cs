using System.Buffers.Binary;

namespace OpenGradient.Engine.Formats;

/// <summary>What the contract stores for a log: the first 24 bytes of the root ‖ u64 size.</summary>
public static class LogHead
{
    public static Hash256 Pack(in Hash256 root, ulong size)
    {
        Span<byte> head = stackalloc byte[Hash256.Size];
        root.Bytes[..24].CopyTo(head);
        BinaryPrimitives.WriteUInt64BigEndian(head[24..], size);
        return new Hash256(head);
    }

    /// <summary>The head of a log that was never anchored.</summary>
    public static Hash256 Empty { get; } = Pack(MerkleTree.EmptyRoot, 0);

    public static ulong SizeOf(in Hash256 head) => BinaryPrimitives.ReadUInt64BigEndian(head.Bytes[24..]);
}

/// <summary>What an epoch's key says about its log, as EIP-712 typed data (docs/formats.md, "Log and checkpoint").</summary>
public readonly record struct CheckpointClaim(
    Hash256 LogId, ulong Size, Hash256 Root, Hash256 PreviousHead, ulong ChainId, EvmAddress Contract)
{
    private static readonly Hash256 DomainType = Keccak256.Hash("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"u8);
    private static readonly Hash256 CheckpointType = Keccak256.Hash("Checkpoint(bytes32 logId,uint64 size,bytes32 root,bytes32 previousHead)"u8);
    private static readonly Hash256 Name = Keccak256.Hash("OpenGradient.Engine"u8);
    private static readonly Hash256 Version = Keccak256.Hash("1"u8);

    /// <summary>What is signed: K(0x1901 ‖ domain separator ‖ struct hash).</summary>
    public Hash256 Digest()
    {
        Span<byte> domain = stackalloc byte[160];
        domain.Clear();
        DomainType.Bytes.CopyTo(domain);
        Name.Bytes.CopyTo(domain[32..]);
        Version.Bytes.CopyTo(domain[64..]);
        BinaryPrimitives.WriteUInt64BigEndian(domain[120..], ChainId);
        Contract.CopyTo(domain[140..]);

        Span<byte> message = stackalloc byte[160];
        message.Clear();
        CheckpointType.Bytes.CopyTo(message);
        LogId.Bytes.CopyTo(message[32..]);
        BinaryPrimitives.WriteUInt64BigEndian(message[88..], Size);
        Root.Bytes.CopyTo(message[96..]);
        PreviousHead.Bytes.CopyTo(message[128..]);

        Span<byte> signed = stackalloc byte[66];
        signed[0] = 0x19;
        signed[1] = 0x01;
        Keccak256.Hash(domain).Bytes.CopyTo(signed[2..]);
        Keccak256.Hash(message).Bytes.CopyTo(signed[34..]);
        return Keccak256.Hash(signed);
    }
}
