using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;
using OpenGradient.Engine.Formats.Tests.Support;

namespace OpenGradient.Engine.Formats.Tests;

/// <summary>What holds for every encoding: one value has one encoding, and bad bytes give a FormatException with a message.</summary>
public sealed class CanonicalityTests
{
    public static TheoryData<string> Formats => [.. Format.All.Select(format => format.Name)];

    [Theory, MemberData(nameof(Formats))]
    public void Decode_ValidBytes_EncodesToTheSameBytes(string name)
    {
        var format = Format.Named(name);
        Generated.ForAll(format.Valid, bytes => Assert.Equal(bytes, format.DecodeThenEncode(bytes)));
    }

    [Theory, MemberData(nameof(Formats))]
    public void Decode_RandomBytes_RefusesOrIsCanonical(string name)
    {
        var format = Format.Named(name);
        Generated.ForAll(Samples.BytesUpTo(400), bytes => RefusesOrIsCanonical(format, bytes), tests: 500);
    }

    [Theory, MemberData(nameof(Formats))]
    public void Decode_EveryByteChanged_RefusesOrIsCanonical(string name)
    {
        var format = Format.Named(name);
        var changes = from bytes in format.Valid from bit in Gen.Choose(0, 7) select (bytes, bit);
        Generated.ForAll(
            changes,
            change =>
            {
                for (var at = 0; at < change.bytes.Length; at++)
                {
                    byte[] mutated = [.. change.bytes];
                    mutated[at] ^= (byte)(1 << change.bit);
                    RefusesOrIsCanonical(format, mutated);
                }
            },
            tests: 8);
    }

    [Theory, MemberData(nameof(Formats))]
    public void Decode_BytesCutInsertedOrRemoved_RefusesOrIsCanonical(string name)
    {
        var format = Format.Named(name);
        var edits =
            from bytes in format.Valid
            from at in Gen.Choose(0, bytes.Length - 1)
            from count in Gen.Choose(1, 9)
            from inserted in Samples.Bytes(count)
            select (bytes, at, count, inserted);
        Generated.ForAll(
            edits,
            edit =>
            {
                RefusesOrIsCanonical(format, [.. edit.bytes[..edit.at], .. edit.inserted, .. edit.bytes[edit.at..]]);
                RefusesOrIsCanonical(format, [.. edit.bytes[..edit.at], .. edit.bytes[Math.Min(edit.at + edit.count, edit.bytes.Length)..]]);
            },
            tests: 300);
    }

    [Theory, MemberData(nameof(Formats))]
    public void Decode_TruncatedOrTrailing_IsRefused(string name)
    {
        var format = Format.Named(name);
        Generated.ForAll(
            format.Valid,
            bytes =>
            {
                for (var length = 0; length < bytes.Length; length++) Refuses(format, bytes[..length]);
                Refuses(format, [.. bytes, 0]);
                Refuses(format, [.. bytes, .. bytes]);
            },
            tests: 5);
    }

    [Theory, MemberData(nameof(Formats))]
    public void Decode_HugeLengthAnywhere_AllocatesNoMoreThanTheInput(string name)
    {
        var format = Format.Named(name);
        Generated.ForAll(
            format.Valid,
            bytes =>
            {
                for (var at = 0; at + 4 <= bytes.Length; at += 1 + at / 64)
                {
                    byte[] mutated = [.. bytes];
                    BinaryPrimitives.WriteUInt32BigEndian(mutated.AsSpan(at), uint.MaxValue);
                    var before = GC.GetAllocatedBytesForCurrentThread();
                    RefusesOrIsCanonical(format, mutated);
                    Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
                }
            },
            tests: 5);
    }

    [Theory]
    [InlineData("context", StatementContext.MaxSize), InlineData("statement", Statement.MaxSize), InlineData("receipt", Receipt.MaxSize)]
    [InlineData("binding", EpochBinding.MaxSize), InlineData("evidence", Evidence.MaxSize), InlineData("bundle", ReceiptBundle.MaxSize)]
    public void Decode_MoreThanTheCap_NamesTheCap(string name, int cap)
    {
        var problem = Assert.Throws<FormatException>(() => Format.Named(name).DecodeThenEncode(new byte[cap + 1]));
        Assert.Equal($"{name}: more than {cap} bytes", problem.Message);
    }

    private static void Refuses(Format format, byte[] bytes)
    {
        var problem = Assert.Throws<FormatException>(() => format.DecodeThenEncode(bytes));
        Assert.Contains(':', problem.Message);
    }

    private static void RefusesOrIsCanonical(Format format, byte[] bytes)
    {
        try
        {
            Assert.Equal(bytes, format.DecodeThenEncode(bytes));
        }
        catch (FormatException problem)
        {
            Assert.Contains(':', problem.Message);
        }
    }
}
