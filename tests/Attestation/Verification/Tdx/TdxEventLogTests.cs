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

    [Theory]
    [InlineData(0)]
    [InlineData(0xff)]
    [InlineData(-1)]
    public void Carried_LogOfTheQuotedRegisters_IsAcceptedBehindTheQuote(int filling)
    {
        // An event's data that ends as the filling does, so that the filling alone says where the log ends.
        byte[] log = [.. Header(), .. Boot, .. Event(1, 3, new byte[48])[..^3], 0, 0xff, (byte)Math.Max(0, filling)];
        byte[] area = filling < 0 ? log : [.. log, .. Enumerable.Repeat((byte)filling, 60_000)];
        var guest = Carrying(area);
        guest.Policy = guest.Policy! with { RequireEventLog = true };

        Assert.Empty(guest.Verify().Reasons);
        Assert.Empty(guest.Verify([.. QuoteOf(guest), .. new byte[3000], .. Tail(area)]).Reasons);
    }

    [Fact]
    public void Carried_LogThatReplaysToOtherRegisters_IsRefusedForTheLogAlone()
    {
        byte[] right = [.. Header(), .. Boot], wrong = [.. Header(), .. Event(1, 1, Second)];
        Assert.Equal([AttestationCheck.EventLog], Carrying(wrong).Verify().Reasons.Select(reason => reason.Check).Distinct());
        // Also where the caller's own log is right, and the other way round: none is passed over.
        Assert.Equal([AttestationCheck.EventLog], Carrying(wrong, given: right).Verify().Reasons.Select(reason => reason.Check).Distinct());
        Assert.Equal([AttestationCheck.EventLog], Carrying(right, given: wrong).Verify().Reasons.Select(reason => reason.Check).Distinct());
        Assert.Empty(Carrying(right, given: right).Verify().Reasons);
    }

    // The bytes that native/tests/test_tdx.c makes of these areas; none of them is a log.
    [Theory]
    [InlineData("4f4745206363656c20763100000000000000000500000000020102")]
    [InlineData("4f4745206363656c207631000000000000000006ff00000003010200")]
    [InlineData("4f4745206363656c2076310000000000000000030000000003010203")]
    [InlineData("4f4745206363656c2076310000000000000000050000000004000001ff")]
    [InlineData("4f4745206363656c207631000000000000000001000000000107")]
    public void Carried_AreaOfTheAttester_IsRead(string tail) => Assert.Equal([AttestationCheck.EventLog], Following(Convert.FromHexString(tail)));

    [Theory]
    [InlineData("another tag", "4f4745206363656c20763200000000000000000500000000020102")]
    [InlineData("nothing but a tag", "4f4745206363656c2076310000000000")]
    [InlineData("no log", "4f4745206363656c2076310000000000000000050000000000")]
    [InlineData("an area smaller than its log", "4f4745206363656c20763100000000000000000100000000020102")]
    [InlineData("an area too large", "4f4745206363656c20763100000000000020000100000000020102")]
    [InlineData("another filling", "4f4745206363656c20763100000000000000000501000000020102")]
    [InlineData("a filling of a full area", "4f4745206363656c207631000000000000000002ff000000020102")]
    [InlineData("filling that was kept", "4f4745206363656c20763100000000000000000500000000020100")]
    [InlineData("truncated", "4f4745206363656c20763100000000000000000500000000030102")]
    [InlineData("trailing", "4f4745206363656c2076310000000000000000050000000002010200")]
    public void Carried_TailOfAnotherForm_IsRefusedForTheEncoding(string why, string tail) => Assert.True(Following(Convert.FromHexString(tail)) is [AttestationCheck.Encoding], why);

    [Fact]
    public void Carried_QuoteOrEvidenceTooLarge_IsRefusedForTheSize()
    {
        byte[] log = [.. Header(), .. Boot];
        var guest = Carrying(log);
        Assert.Equal([AttestationCheck.Size], guest.Verify([.. QuoteOf(guest), .. new byte[16 * 1024], .. Tail(log)]).Reasons.Select(reason => reason.Check));
        byte[] large = [.. log, .. Event(1, 3, new byte[48])[..^7], .. U32(64 * 1024), .. Enumerable.Repeat((byte)1, 64 * 1024)];
        Assert.Equal([AttestationCheck.Size], Carrying(large).Verify().Reasons.Select(reason => reason.Check));
    }

    [Fact]
    public void Carried_SpoiledTails_NeverThrowAndNeverHideAMeasurement()
    {
        byte[] log = [.. Header(), .. Boot, .. new byte[50]];
        var guest = Carrying(log);
        var (quote, tail) = (QuoteOf(guest), Tail(log));
        var random = new Random(20261123);
        for (var round = 0; round < (Vectors.IsLong ? 200_000 : 150); round++)
            Assert.All(guest.Verify([.. quote, .. Spoiler.Spoil(tail, random)]).Reasons, reason => Assert.True(reason.Check is AttestationCheck.EventLog or AttestationCheck.Encoding));
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

    // The same guest with a log behind its quote, as the attester puts it there.
    private static MockTdx Carrying(byte[] area, byte[]? given = null)
    {
        var guest = Guest([]);
        guest.EventLog = given;
        guest.Quote = quote => [.. quote, .. Tail(area)];
        return guest;
    }

    private static byte[] QuoteOf(MockTdx guest)
    {
        var with = guest.Quote;
        guest.Quote = quote => quote;
        var quote = guest.MakeQuote();
        guest.Quote = with;
        return quote;
    }

    private static AttestationCheck[] Following(byte[] tail)
    {
        var guest = Carrying([1]);
        return [.. guest.Verify([.. QuoteOf(guest), .. tail]).Reasons.Select(reason => reason.Check).Distinct()];
    }

    private static byte[] Tail(byte[] area)
    {
        var fill = area[^1];
        var kept = fill is 0 or 0xff ? area.AsSpan().TrimEnd(fill).Length : area.Length;
        var writer = new OpenGradient.Engine.Formats.ByteWriter().Tag("OGE ccel v1"u8).U32((uint)area.Length).U8(kept == area.Length ? (byte)0 : fill);
        return writer.U32((uint)kept).Bytes(area.AsSpan(0, kept)).ToArray();
    }

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
