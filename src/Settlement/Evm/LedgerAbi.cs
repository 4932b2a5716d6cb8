using System.Buffers.Binary;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Evm;

/// <summary>Calls and events of contracts/SettlementLedger.sol.</summary>
public static class LedgerAbi
{
    private const int Word = 32;

    // Size (u64) ‖ root: no event with a name has a length that is not a multiple of 32.
    private const int AnchoredSize = 8 + Word;

    /// <summary><c>topics[0]</c> of the event that a registered key emits.</summary>
    public static Hash256 KeyRegisteredTopic { get; } = Keccak256.Hash("KeyRegistered(bytes32,address,address,bytes32,bytes32,bytes32)"u8);

    public static byte[] RegisterKey(in Hash256 logId, EvmAddress signer, in Hash256 evidenceDigest, in Hash256 epoch, EvmAddress predecessor) =>
        new AbiCall("registerKey(bytes32,address,bytes32,bytes32,address)"u8).Hash(logId).Address(signer).Hash(evidenceDigest).Hash(epoch).Address(predecessor).ToArray();

    /// <summary>Moves the log's head to a checkpoint. The head it builds on is not in the call: the contract has it, and the signature covers it.</summary>
    /// <param name="logId">The log.</param>
    /// <param name="signer">The key that signed.</param>
    /// <param name="size">Size of the new checkpoint.</param>
    /// <param name="root">Root of the new checkpoint.</param>
    /// <param name="signature">65 bytes, r ‖ s ‖ v with v 0 or 1; the contract takes EIP-2098's form, v in the top bit of s.</param>
    public static byte[] Anchor(in Hash256 logId, EvmAddress signer, ulong size, in Hash256 root, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != 65 || signature[64] > 1 || signature[Word] > 0x7f) throw new ArgumentException("a signature is r ‖ s ‖ v, 65 bytes with a low s and v 0 or 1", nameof(signature));
        Span<byte> keyAndSize = stackalloc byte[Word];
        keyAndSize.Clear();
        signer.CopyTo(keyAndSize);
        BinaryPrimitives.WriteUInt64BigEndian(keyAndSize[24..], size);
        Span<byte> compact = stackalloc byte[2 * Word];
        signature[..64].CopyTo(compact);
        compact[Word] |= (byte)(signature[64] << 7);
        return new AbiCall("anchor(bytes32,uint256,bytes32,bytes32,uint256)"u8).Hash(logId).Bytes(keyAndSize).Hash(root).Bytes(compact).ToArray();
    }

    public static byte[] RevokeKey(in Hash256 logId, EvmAddress signer, in Hash256 reason) =>
        new AbiCall("revokeKey(bytes32,address,bytes32)"u8).Hash(logId).Address(signer).Hash(reason).ToArray();

    public static byte[] KeyInfo(EvmAddress signer) => new AbiCall("keyInfo(address)"u8).Address(signer).ToArray();

    /// <summary>What the contract says of a key; null when these are not four words.</summary>
    public static RegisteredKey? DecodeKeyInfo(ReadOnlySpan<byte> returned) => returned.Length == 128 && returned[32..63].IndexOfAnyExcept((byte)0) < 0 && returned[63] <= (byte)KeyStanding.Faulty
        ? new(new Hash256(returned[..32]), (KeyStanding)returned[63], new Hash256(returned[64..96]), new Hash256(returned[96..]))
        : null;

    public static byte[] Head(in Hash256 logId) => new AbiCall("head(bytes32)"u8).Hash(logId).ToArray();

    /// <summary>What <see cref="Head"/> returned; null when it is not two words.</summary>
    public static (Hash256 Head, EvmAddress ActiveKey)? DecodeHead(ReadOnlySpan<byte> returned) =>
        returned.Length == 2 * Word ? (new Hash256(returned[..Word]), new EvmAddress(returned.Slice(Word + 12, EvmAddress.Size))) : null;

    /// <summary>
    /// What an event says was anchored; null when it is not a log's anchor. That event has no name: its only topic is the
    /// log, its data size ‖ root.
    /// </summary>
    public static (ulong Size, Hash256 Root)? DecodeAnchored(in Hash256 logId, ReadOnlySpan<Hash256> topics, ReadOnlySpan<byte> data) =>
        topics.Length == 1 && topics[0] == logId && data.Length == AnchoredSize
            ? (BinaryPrimitives.ReadUInt64BigEndian(data), new Hash256(data[8..]))
            : null;

    /// <summary>An address as an indexed topic.</summary>
    public static Hash256 Topic(EvmAddress address)
    {
        Span<byte> word = stackalloc byte[Word];
        word.Clear();
        address.CopyTo(word[12..]);
        return new Hash256(word);
    }

    /// <summary>Creation bytecode followed by the constructor's argument.</summary>
    public static byte[] Creation(ReadOnlySpan<byte> bytecode, EvmAddress registrar) => [.. bytecode, .. Topic(registrar).Bytes];
}

/// <summary>A key's standing in the contract.</summary>
public enum KeyStanding
{
    None,
    Active,

    /// <summary>A successor took over: the ordinary end of an epoch.</summary>
    Replaced,
    Revoked,

    /// <summary>Convicted of signing two different things for one position.</summary>
    Faulty,
}

/// <summary>A key as the contract has it.</summary>
public readonly record struct RegisteredKey(Hash256 LogId, KeyStanding Standing, Hash256 EvidenceDigest, Hash256 Epoch);
