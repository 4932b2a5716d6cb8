using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Evm;

/// <summary>The refusals of contracts/SettlementLedger.sol, by the first four bytes of what it reverts with.</summary>
public static class LedgerErrors
{
    private static readonly Dictionary<uint, string> Names = new[]
    {
        "NotOwner(address)", "NotPendingOwner(address)", "NotRegistrar(address)", "ZeroAddress()", "Paused()", "BadSignature()",
        "NotActiveKey(address)", "SizeNotIncreasing(uint64)", "NotSignedOnHead(bytes32)", "KeyAlreadyRegistered(address)", "WrongPredecessor(address)",
        "UnknownKey(bytes32,address)", "KeyAlreadyClosed(address,uint8)", "UnknownLog(bytes32)", "Halted(bytes32)", "NotEquivocation()", "MalformedHeader()", "MalformedProof()",
    }.ToDictionary(signature => Selector(Keccak256.Hash(System.Text.Encoding.ASCII.GetBytes(signature)).Bytes), signature => signature[..signature.IndexOf('(', StringComparison.Ordinal)]);

    /// <summary>The error's name; null when it is none of the contract's.</summary>
    public static string? NameOf(ReadOnlySpan<byte> revertData) => revertData.Length >= 4 ? Names.GetValueOrDefault(Selector(revertData)) : null;

    private static uint Selector(ReadOnlySpan<byte> bytes) => System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes);
}
