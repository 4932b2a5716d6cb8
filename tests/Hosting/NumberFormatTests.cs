using System.Text.Json;
using OpenGradient.Engine.Host.Protocol;

namespace OpenGradient.Engine.Hosting.Tests;

/// <summary>The digests are over bits, answers travel as text: what is printed must read back to the same bits.</summary>
public sealed class NumberFormatTests
{
    private const int Samples = 200_000;

    [Fact]
    public void Float32_PrintedAndReadBack_HasTheSameBits()
    {
        var random = new Random(1);
        uint[] edges = [0, 0x8000_0000, 1, 0x8000_0001, 0x007f_ffff, 0x0080_0000, 0x7f7f_ffff, 0xff7f_ffff, 0x3f80_0001, 0x4b80_0000, 0x4b7f_ffff, 0x3dcc_cccd];
        foreach (var bits in edges.Concat(Enumerable.Range(0, Samples).Select(_ => (uint)random.NextInt64(1L << 32))))
            if (float.IsFinite(BitConverter.UInt32BitsToSingle(bits))) Assert.Equal(BitConverter.GetBytes(bits), RoundTrip(1, BitConverter.GetBytes(bits)));
    }

    [Fact]
    public void Float64_PrintedAndReadBack_HasTheSameBits()
    {
        var random = new Random(2);
        ulong[] edges = [0, 1ul << 63, 1, 0x000f_ffff_ffff_ffff, 0x0010_0000_0000_0000, 0x7fef_ffff_ffff_ffff, 0x3ff0_0000_0000_0001, 0x4340_0000_0000_0000];
        foreach (var bits in edges.Concat(Enumerable.Range(0, Samples).Select(_ => ((ulong)random.NextInt64() << 1) ^ (ulong)random.Next())))
            if (double.IsFinite(BitConverter.UInt64BitsToDouble(bits))) Assert.Equal(BitConverter.GetBytes(bits), RoundTrip(11, BitConverter.GetBytes(bits)));
    }

    [Fact]
    public void Float16_EveryFiniteValue_HasTheSameBits()
    {
        for (var bits = 0; bits <= ushort.MaxValue; bits++)
            if (Half.IsFinite(BitConverter.UInt16BitsToHalf((ushort)bits))) Assert.Equal(BitConverter.GetBytes((ushort)bits), RoundTrip(10, BitConverter.GetBytes((ushort)bits)));
    }

    [Fact]
    public void Integers_AtTheirEdges_HaveTheSameBits()
    {
        foreach (var code in (byte[])[2, 3, 4, 5, 6, 7, 9, 12, 13])
            foreach (byte fill in (byte[])[0, 1, 0x7f, 0x80, 0xff])
            {
                if (code == 9 && fill > 1) continue;
                var element = new byte[DataType.SizeOf(code)];
                Array.Fill(element, fill);
                if (code == 9) element[0] = fill;
                Assert.Equal(element, RoundTrip(code, element));
            }
    }

    [Fact]
    public void NonFinite_InJson_IsNullAndNeverANumber()
    {
        foreach (var value in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity]) Assert.Null(RoundTrip(1, BitConverter.GetBytes(value)));
        Assert.Null(RoundTrip(11, BitConverter.GetBytes(double.NaN)));
        Assert.Null(RoundTrip(10, BitConverter.GetBytes(Half.PositiveInfinity)));
    }

    /// <summary>Null for an element that JSON does not carry.</summary>
    private static byte[]? RoundTrip(byte code, byte[] element)
    {
        using var stream = new MemoryStream(32);
        using (var json = new Utf8JsonWriter(stream)) DataType.WriteElement(json, code, element);
        var reader = new Utf8JsonReader(stream.ToArray());
        Assert.True(reader.Read());
        if (reader.TokenType == JsonTokenType.Null) return null;
        var back = new byte[element.Length];
        Assert.True(DataType.TryWriteElement(ref reader, code, back), System.Text.Encoding.UTF8.GetString(stream.ToArray()));
        return back;
    }
}
