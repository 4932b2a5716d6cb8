using System.Buffers.Binary;
using System.Security.Cryptography;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Tpm;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Tpm;

public sealed class TpmEventLogTests
{
    private static readonly byte[] First = SHA256.HashData("first"u8), Second = SHA256.HashData("second"u8);

    private static byte[] Extended(byte[] value, byte[] digest) => SHA256.HashData([.. value, .. digest]);

    private static byte[] U32(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] Header()
    {
        byte[] data = [.. "Spec ID Event03\0"u8, 0, 0, 0, 0, 0, 2, 0, 2, .. U32(2), 0x04, 0, 20, 0, 0x0b, 0, 32, 0, 0];
        return [.. U32(0), .. U32(3), .. new byte[20], .. U32((uint)data.Length), .. data];
    }

    private static byte[] Event(uint register, uint type, byte[] digest, byte[] data) =>
        [.. U32(register), .. U32(type), .. U32(2), 0x04, 0, .. new byte[20], 0x0b, 0, .. digest, .. U32((uint)data.Length), .. data];

    private static byte[] Locality(byte locality) => Event(0, 3, new byte[32], [.. "StartupLocality\0"u8, locality]);

    private static byte[] Log() => [.. Header(), .. Locality(3), .. Event(0, 8, First, [1]), .. Event(7, 1, Second, []), .. Event(7, 4, First, [0, 0, 0, 0])];

    /// <summary>A log of one event.</summary>
    internal static byte[] LogOf(uint register, byte[] digest) => [.. Header(), .. Event(register, 1, digest, [])];

    private static MockTpm Measured()
    {
        var initial = new byte[32];
        initial[31] = 3;
        return new MockTpm
        {
            EventLog = Log(),
            Registers = new() { [0] = Extended(initial, First), [7] = Extended(Extended(new byte[32], Second), First), [16] = SHA256.HashData("sixteen"u8) },
        };
    }

    private static void AssertRefused(MockTpm tpm, byte[] log)
    {
        var result = TpmVerifier.Verify((tpm.Evidence() with { EventLog = log }).Encode(), MockTpm.Context(tpm.Policy()));
        Assert.Equal([AttestationCheck.EventLog], result.Reasons.Select(reason => reason.Check).Distinct());
        Assert.Equal(AttestationStatus.Refused, result.Status);
    }

    [Fact]
    public void Replay_LogOfTheQuotedRegisters_IsAccepted() => Assert.Empty(Measured().Verify().Reasons);

    [Fact]
    public void Replay_AnotherDigest_IsRefused()
    {
        AssertRefused(Measured(), [.. Header(), .. Locality(3), .. Event(0, 8, First, [1]), .. Event(7, 1, First, []), .. Event(7, 4, First, [])]);
        AssertRefused(Measured(), [.. Header(), .. Locality(0), .. Event(0, 8, First, [1]), .. Event(7, 1, Second, []), .. Event(7, 4, First, [])]);
        AssertRefused(Measured(), [.. Log(), .. Event(16, 1, First, [])]);
    }

    [Fact]
    public void Replay_FirmwareRegisterThatTheLogLeavesOut_IsRefused() => AssertRefused(Measured(), [.. Header(), .. Locality(3), .. Event(0, 8, First, [1])]);

    [Fact]
    public void Replay_TruncatedAnywhere_IsRefused()
    {
        var tpm = Measured();
        var log = Log();
        for (var size = 1; size < log.Length; size++) AssertRefused(tpm, log[..size]);
    }

    [Fact]
    public void Replay_MalformedHeaderOrEvent_IsRefused()
    {
        var tpm = Measured();
        var sizeBomb = Log();
        U32(uint.MaxValue).CopyTo(sizeBomb.AsSpan(28));
        AssertRefused(tpm, sizeBomb);
        var anotherHeader = Log();
        anotherHeader[32] ^= 1;
        AssertRefused(tpm, anotherHeader);
        AssertRefused(tpm, [.. Log(), .. Event(24, 1, First, [])]);
        byte[] twice = [.. U32(0), .. U32(1), .. U32(2), 0x0b, 0, .. First, 0x0b, 0, .. First, .. U32(0)];
        AssertRefused(tpm, [.. Log(), .. twice]);
    }

    [Fact]
    public void Replay_NoLogWhereThePolicyAsksForOne_IsUnverifiable()
    {
        var tpm = new MockTpm();
        var result = TpmVerifier.Verify(tpm.Evidence().Encode(), MockTpm.Context(tpm.Policy() with { RequireEventLog = true }));
        Assert.Equal(AttestationStatus.Unverifiable, result.Status);
        Assert.Equal([AttestationCheck.EventLog], result.Reasons.Select(reason => reason.Check));
    }
}
