using System.Numerics;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Settlement.Tests.Doubles;

/// <summary>What a raw type 2 transaction says, read independently of how the engine writes it.</summary>
internal readonly record struct Eip1559(Hash256 Hash, ulong Nonce, UInt128 MaxPriorityFee, UInt128 MaxFee)
{
    public static Eip1559 Read(string raw)
    {
        var bytes = Convert.FromHexString(raw[2..]);
        var rest = bytes.AsSpan(1);
        rest = rest[1..][(rest[0] - 0xf7)..]; // the list's head: these transactions are longer than 55 bytes
        _ = Number(ref rest); // chain id
        return new(Eip1559Transaction.HashOf(bytes), (ulong)Number(ref rest), (UInt128)Number(ref rest), (UInt128)Number(ref rest));
    }

    private static BigInteger Number(ref Span<byte> rest)
    {
        var head = rest[0];
        if (head < 0x80)
        {
            rest = rest[1..];
            return head;
        }

        var value = new BigInteger(rest.Slice(1, head - 0x80), isUnsigned: true, isBigEndian: true);
        rest = rest[(1 + head - 0x80)..];
        return value;
    }
}

/// <summary>The system's clock, put ahead.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    public TimeSpan Ahead { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
}
