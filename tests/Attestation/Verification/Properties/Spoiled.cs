using FsCheck;
using FsCheck.Fluent;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Properties;

/// <summary>How one change spoils bytes.</summary>
internal enum EditKind
{
    Flip,
    Set,
    Cut,
    Remove,
    Repeat,
    Insert,
    Zero,
    Fill,
}

/// <summary>One change, at a place that is taken modulo the bytes' length.</summary>
internal readonly record struct Edit(EditKind Kind, int At, int Length, byte Value)
{
    public byte[] Apply(byte[] bytes)
    {
        if (bytes.Length == 0) return [Value];
        var at = At % bytes.Length;
        var length = Math.Min(Length, bytes.Length - at);
        byte[] changed = [.. bytes];
        switch (Kind)
        {
            case EditKind.Flip:
                changed[at] ^= (byte)(1 << (Value % 8));
                return changed;
            case EditKind.Set:
                changed[at] = Value;
                return changed;
            case EditKind.Zero:
                changed.AsSpan(at, length).Clear();
                return changed;
            case EditKind.Fill:
                changed.AsSpan(at, length).Fill(0xff);
                return changed;
            case EditKind.Cut:
                return bytes[..at];
            case EditKind.Remove:
                return [.. bytes.AsSpan(0, at), .. bytes.AsSpan(at + length)];
            case EditKind.Repeat:
                return [.. bytes.AsSpan(0, at), .. bytes.AsSpan(at, length), .. bytes.AsSpan(at)];
            default:
                return [.. bytes.AsSpan(0, at), .. Enumerable.Repeat(Value, Length), .. bytes.AsSpan(at)];
        }
    }
}

/// <summary>Valid input and what spoils it. A failure shrinks to the fewest and smallest changes, which stand in its message.</summary>
internal sealed record Spoiled(IReadOnlyList<Edit> Edits)
{
    private const int MostEdits = 4, Longest = 64;

    private static readonly Gen<Edit> AnyEdit =
        from kind in Gen.Elements(Enum.GetValues<EditKind>())
        from at in Gen.OneOf(Gen.Choose(0, 64), Gen.Choose(0, 1 << 20))
        from length in Gen.Choose(1, Longest)
        from value in Gen.Choose(0, 255)
        select new Edit(kind, at, length, (byte)value);

    public static Arbitrary<Spoiled> Any { get; } =
        Arb.From(from count in Gen.Choose(1, MostEdits) from edits in Gen.ArrayOf(AnyEdit, count) select new Spoiled(edits), Smaller);

    public byte[] From(byte[] valid) => Edits.Aggregate(valid, (bytes, edit) => edit.Apply(bytes));

    public override string ToString() => string.Join(", then ", Edits);

    private static IEnumerable<Spoiled> Smaller(Spoiled spoiled)
    {
        for (var i = 0; spoiled.Edits.Count > 1 && i < spoiled.Edits.Count; i++) yield return new Spoiled([.. spoiled.Edits.Where((_, index) => index != i)]);
        for (var i = 0; i < spoiled.Edits.Count; i++)
        {
            var edit = spoiled.Edits[i];
            if (edit.Length > 1) yield return With(spoiled, i, edit with { Length = edit.Length / 2 });
            if (edit.Kind is not (EditKind.Flip or EditKind.Set)) yield return With(spoiled, i, edit with { Kind = EditKind.Set });
        }
    }

    private static Spoiled With(Spoiled spoiled, int index, Edit edit) => new([.. spoiled.Edits.Select((other, i) => i == index ? edit : other)]);
}
