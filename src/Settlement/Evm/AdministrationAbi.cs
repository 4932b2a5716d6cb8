using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Evm;

/// <summary>The calls of the contract's owner and registrar, and what they read back.</summary>
public static class AdministrationAbi
{
    private const int Word = 32;

    /// <summary>Stops or allows registering, of every log.</summary>
    public static byte[] SetPaused(bool paused) => new AbiCall("setPaused(bool)"u8).Number(paused ? 1UL : 0).ToArray();

    /// <summary>Stops anchoring of these logs, or lets it go on.</summary>
    public static byte[] SetHalted(ReadOnlySpan<Hash256> logIds, bool halted)
    {
        var call = new AbiCall("setHalted(bytes32[],bool)"u8).Number(2 * Word).Number(halted ? 1UL : 0).Number((ulong)logIds.Length);
        foreach (var logId in logIds) call.Hash(logId);
        return call.ToArray();
    }

    public static byte[] SetRegistrar(EvmAddress registrar) => new AbiCall("setRegistrar(address)"u8).Address(registrar).ToArray();

    /// <summary>Offers ownership; the zero address withdraws the offer.</summary>
    public static byte[] TransferOwnership(EvmAddress newOwner) => new AbiCall("transferOwnership(address)"u8).Address(newOwner).ToArray();

    public static byte[] AcceptOwnership() => new AbiCall("acceptOwnership()"u8).ToArray();

    public static byte[] Owner() => new AbiCall("owner()"u8).ToArray();

    public static byte[] PendingOwner() => new AbiCall("pendingOwner()"u8).ToArray();

    public static byte[] Registrar() => new AbiCall("registrar()"u8).ToArray();

    public static byte[] Paused() => new AbiCall("paused()"u8).ToArray();

    public static byte[] IsHalted(in Hash256 logId) => new AbiCall("isHalted(bytes32)"u8).Hash(logId).ToArray();

    /// <summary>A returned address; null when it is not one word that holds one.</summary>
    public static EvmAddress? DecodeAddress(ReadOnlySpan<byte> returned) =>
        returned.Length == Word && returned[..12].IndexOfAnyExcept((byte)0) < 0 ? new EvmAddress(returned[12..]) : null;

    /// <summary>A returned truth value; null when it is neither 0 nor 1.</summary>
    public static bool? DecodeBool(ReadOnlySpan<byte> returned) =>
        returned.Length == Word && returned[..31].IndexOfAnyExcept((byte)0) < 0 && returned[31] <= 1 ? returned[31] == 1 : null;
}
