using System.Buffers.Binary;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Evm;

/// <summary>Calls and events of contracts/SettlementLedger.sol: static words, and one byte string.</summary>
public static class LedgerAbi
{
    private const int Word = 32;

    /// <summary><c>topics[0]</c> of the event that an accepted anchor emits.</summary>
    public static Hash256 AnchoredTopic { get; } = Keccak256.Hash("Anchored(bytes32,address,uint64,bytes32,bytes32)"u8);

    /// <summary><c>topics[0]</c> of the event that a registered key emits.</summary>
    public static Hash256 KeyRegisteredTopic { get; } = Keccak256.Hash("KeyRegistered(bytes32,address,address,bytes32,bytes32,bytes32)"u8);

    public static byte[] RegisterKey(in Hash256 logId, EvmAddress signer, in Hash256 evidenceDigest, in Hash256 epoch, EvmAddress predecessor) =>
        new Call("registerKey(bytes32,address,bytes32,bytes32,address)"u8).Hash(logId).Address(signer).Hash(evidenceDigest).Hash(epoch).Address(predecessor).ToArray();

    /// <param name="logId">The log.</param>
    /// <param name="previousHead">The head this anchor builds on.</param>
    /// <param name="root">Root of the new checkpoint.</param>
    /// <param name="size">Size of the new checkpoint.</param>
    /// <param name="signature">65 bytes, r ‖ s ‖ v with v 0 or 1; the contract takes 27 or 28.</param>
    public static byte[] Anchor(in Hash256 logId, in Hash256 previousHead, in Hash256 root, ulong size, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != 65 || signature[64] > 1) throw new ArgumentException("a signature is r ‖ s ‖ v, 65 bytes with v 0 or 1", nameof(signature));
        Span<byte> padded = stackalloc byte[3 * Word];
        padded.Clear();
        signature.CopyTo(padded);
        padded[64] += 27;
        return new Call("anchor(bytes32,bytes32,bytes32,uint64,bytes)"u8)
            .Hash(logId).Hash(previousHead).Hash(root).Number(size).Number(5 * Word).Number(65).Bytes(padded).ToArray();
    }

    public static byte[] KeyInfo(EvmAddress signer) => new Call("keyInfo(address)"u8).Address(signer).ToArray();

    /// <summary>What the contract says of a key; null when these are not four words.</summary>
    public static RegisteredKey? DecodeKeyInfo(ReadOnlySpan<byte> returned) => returned.Length == 128 && returned[32..63].IndexOfAnyExcept((byte)0) < 0 && returned[63] <= (byte)KeyStanding.Faulty
        ? new(new Hash256(returned[..32]), (KeyStanding)returned[63], new Hash256(returned[64..96]), new Hash256(returned[96..]))
        : null;

    public static byte[] Head(in Hash256 logId) => new Call("head(bytes32)"u8).Hash(logId).ToArray();

    /// <summary>What <see cref="Head"/> returned; null when it is not two words.</summary>
    public static (Hash256 Head, EvmAddress ActiveKey)? DecodeHead(ReadOnlySpan<byte> returned) =>
        returned.Length == 2 * Word ? (new Hash256(returned[..Word]), new EvmAddress(returned.Slice(Word + 12, EvmAddress.Size))) : null;

    /// <summary>The data of an <c>Anchored</c> event: size, root, previous head.</summary>
    public static (ulong Size, Hash256 Root, Hash256 PreviousHead)? DecodeAnchored(ReadOnlySpan<byte> data) =>
        data.Length == 3 * Word
            ? (BinaryPrimitives.ReadUInt64BigEndian(data[24..]), new Hash256(data.Slice(Word, Word)), new Hash256(data.Slice(2 * Word, Word)))
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

    private sealed class Call
    {
        private readonly List<byte> _out = [];

        public Call(ReadOnlySpan<byte> signature) => _out.AddRange(Keccak256.Hash(signature).Bytes[..4]);

        public Call Hash(in Hash256 value) => Bytes(value.Bytes);

        public Call Address(EvmAddress value) => Bytes(Topic(value).Bytes);

        public Call Number(ulong value)
        {
            Span<byte> word = stackalloc byte[Word];
            word.Clear();
            BinaryPrimitives.WriteUInt64BigEndian(word[24..], value);
            return Bytes(word);
        }

        public Call Bytes(ReadOnlySpan<byte> value)
        {
            _out.AddRange(value);
            return this;
        }

        public byte[] ToArray() => [.. _out];
    }
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
