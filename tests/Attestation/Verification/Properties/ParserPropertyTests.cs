using FsCheck;
using FsCheck.Fluent;
using Xunit.Abstractions;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Properties;

/// <summary>
/// What holds for every reader of what strangers write: it throws nothing, and nothing but the valid input holds. Failures shrink, and their
/// message has the seed that replays them.
/// </summary>
public sealed class ParserPropertyTests(ITestOutputHelper output)
{
    private const int LongestNoise = 2048;

    public static TheoryData<string> Parsers => [.. Parser.Names];

    private static int Inputs => Math.Max(1, Vectors.Inputs / 250);

    [Theory, MemberData(nameof(Parsers))]
    public void Read_ValidInput_Holds(string name) => Assert.True(Parser.Named(name).Holds(Parser.Named(name).Valid));

    [Theory, MemberData(nameof(Parsers))]
    public void Read_ArbitraryBytes_NeverThrowsNorHolds(string name)
    {
        var parser = Parser.Named(name);
        var noise = Arb.From(
            from length in Gen.Choose(0, LongestNoise) from bytes in Gen.ArrayOf(Gen.Choose(0, 255), length) select bytes.Select(value => (byte)value).ToArray(),
            bytes => bytes.Length == 0 ? [] : (byte[][])[bytes[..(bytes.Length / 2)], bytes[(bytes.Length / 2)..], bytes[1..], bytes[..^1]]);
        // The first bytes of the valid input lead past the first question.
        ForAll(noise, bytes => !parser.Holds(bytes) && (!parser.Holds([.. parser.Valid[..Math.Min(bytes.Length / 8, parser.Valid.Length)], .. bytes]) || parser.IsSame is not null));
    }

    [Theory, MemberData(nameof(Parsers))]
    public void Read_SpoiledInput_NeverThrowsAndHoldsForTheSameAlone(string name)
    {
        var parser = Parser.Named(name);
        ForAll(Spoiled.Any, spoiled =>
        {
            var bytes = spoiled.From(parser.Valid);
            return !parser.Holds(bytes) || parser.MayHold(bytes);
        });
    }

    private void ForAll<T>(Arbitrary<T> inputs, Func<T, bool> holds)
    {
        var seed = Seeded.Check(Inputs, Prop.ForAll(inputs, holds));
        output.WriteLine($"{Inputs} inputs, seed {seed}");
    }
}
