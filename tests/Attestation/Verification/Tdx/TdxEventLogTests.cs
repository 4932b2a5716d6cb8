using System.Buffers.Binary;
using System.Security.Cryptography;
using OpenGradient.Engine.Attestation.Tests.Verification.Pki;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Tdx;

using OpenGradient.Engine.Attestation.Verification;

/// <summary>The log of a guest's firmware against the registers of its quote.</summary>
public sealed class TdxEventLogTests
{
    private static readonly byte[] First = SHA384.HashData("first"u8), Second = SHA384.HashData("second"u8);

    // Registers as a log numbers them: 1 is RTMR0.
    private static readonly byte[] Boot = [.. Event(1, 1, First), .. Event(2, 4, Second), .. Event(1, 5, Second), .. Event(3, 6, First)];

    [Theory]
    [InlineData(0)]
    [InlineData(0xff)]
    [InlineData(-1)]
    public void Replay_LogOfTheQuotedRegisters_IsAcceptedWithItsFilling(int filling)
    {
        byte[] rest = filling < 0 ? [] : [.. Enumerable.Repeat((byte)filling, 3000)];

        Assert.Empty(Judge([.. Header(), .. Event(1, 3, new byte[48]), .. Boot, .. rest]).Reasons);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    public void Replay_HeaderOfEitherRegister_IsRead(uint register) => Assert.Empty(Judge([.. Header(register), .. Boot]).Reasons);

    [Fact]
    public void Replay_BundleUnderAnotherNameBesideTheLog_IsFound() => Assert.Empty(Guest([.. Header(), .. Boot], name: "collateral.json").Verify().Reasons);

    [Fact]
    public void Replay_AnotherDigestOrOrder_IsRefusedForTheLogAlone()
    {
        AssertRefused([.. Header(), .. Event(1, 1, Second), .. Event(2, 4, Second), .. Event(1, 5, Second), .. Event(3, 6, First)]);
        AssertRefused([.. Header(), .. Event(1, 5, Second), .. Event(2, 4, Second), .. Event(1, 1, First), .. Event(3, 6, First)]);
    }

    [Fact]
    public void Replay_RegisterOfTheBootThatTheLogLeavesOut_IsRefused() => AssertRefused([.. Header(), .. Event(1, 1, First), .. Event(1, 5, Second), .. Event(3, 6, First)]);

    [Fact]
    public void Replay_RuntimeRegister_IsComparedWhereTheLogExtendsIt()
    {
        var guest = Guest([.. Header(), .. Boot, .. Event(4, 9, First)]);

        Assert.Equal([AttestationCheck.EventLog], guest.Verify().Reasons.Select(reason => reason.Check));
        var body = guest.Body;
        guest.Body = bytes =>
        {
            body(bytes);
            Extended(new byte[48], First).CopyTo(bytes, 472);
        };
        Assert.Empty(guest.Verify().Reasons);
    }

    [Fact]
    public void Replay_TruncatedAnywhere_IsRefused()
    {
        byte[] log = [.. Header(), .. Boot];
        for (var size = 1; size < log.Length; size++) AssertRefused(log[..size]);
    }

    [Fact]
    public void Replay_MalformedLog_IsRefused()
    {
        byte[] good = [.. Header(), .. Boot];
        AssertRefused([.. good, .. Event(0, 1, First)]);
        AssertRefused([.. good, .. Event(5, 1, First)]);
        AssertRefused([.. good, .. new byte[100], 1]);
        AssertRefused([.. Header(bank: 0x000b, size: 32), .. Boot]);
        AssertRefused([.. Header(register: 2), .. Boot]);
        var bomb = good[..];
        bomb.AsSpan(28, 4).Fill(0xff);
        AssertRefused(bomb);
    }

    [Fact]
    public void Replay_LogTooLarge_IsRefusedUnread()
    {
        var result = Guest(new byte[(2 * 1024 * 1024) + 1]).Verify();

        Assert.Equal([AttestationCheck.Size], result.Reasons.Select(reason => reason.Check));
    }

    [Fact]
    public void Replay_NoLogWhereThePolicyAsksForOne_IsUnverifiable()
    {
        var guest = new MockTdx();
        guest.Policy = guest.Policy! with { RequireEventLog = true };

        var result = guest.Verify();

        Assert.Equal(AttestationStatus.Unverifiable, result.Status);
        Assert.Equal([AttestationCheck.EventLog], result.Reasons.Select(reason => reason.Check));
    }

    [Fact]
    public void Replay_SpoiledLogs_NeverThrowAndNeverHideAMeasurement()
    {
        byte[] log = [.. Header(), .. Boot];
        var guest = Guest(log);
        var quote = guest.MakeQuote();
        var random = new Random(20261122);
        for (var round = 0; round < (Vectors.IsLong ? 200_000 : 150); round++)
        {
            guest.EventLog = Spoiler.Spoil(log, random);
            Assert.All(guest.Verify(quote).Reasons, reason => Assert.Equal(AttestationCheck.EventLog, reason.Check));
        }
    }

    private static AttestationResult Judge(byte[] log) => Guest(log).Verify();

    private static void AssertRefused(byte[] log)
    {
        var result = Judge(log);
        Assert.Equal([AttestationCheck.EventLog], result.Reasons.Select(reason => reason.Check).Distinct());
        Assert.Equal(AttestationStatus.Refused, result.Status);
    }

    // A guest whose registers are those of the boot; RTMR3 is the mock's own.
    private static MockTdx Guest(byte[] log, string name = "tdx-collateral.json") => new()
    {
        EventLog = log, BundleName = name,
        Body = body =>
        {
            Extended(Extended(new byte[48], First), Second).CopyTo(body, 328);
            Extended(new byte[48], Second).CopyTo(body, 376);
            Extended(new byte[48], First).CopyTo(body, 424);
        },
    };

    private static byte[] Extended(byte[] value, byte[] digest) => SHA384.HashData([.. value, .. digest]);

    private static byte[] Header(uint register = 1, ushort bank = 0x000c, ushort size = 48)
    {
        byte[] data = [.. "Spec ID Event03\0"u8, 0, 0, 0, 0, 0, 2, 0, 2, .. U32(1), (byte)bank, 0, (byte)size, 0, 2, 7, 7];
        return [.. U32(register), .. U32(3), .. new byte[20], .. U32((uint)data.Length), .. data];
    }

    private static byte[] Event(uint register, uint type, byte[] digest) => [.. U32(register), .. U32(type), .. U32(1), 0x0c, 0, .. digest, .. U32(3), 1, 2, 3];

    private static byte[] U32(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }
}
