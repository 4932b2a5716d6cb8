using System.Buffers.Binary;
using System.Text.Json;

namespace OpenGradient.Engine.Formats.Tests;

/// <summary>The audit's draw: against vectors that another implementation made, and against what chance may do.</summary>
public sealed class AuditDrawTests
{
    private static readonly Dictionary<string, string> Vectors = Load();

    [Fact]
    public void Draw_Vectors_GiveTheSeedAndTheRowsThatAreDue()
    {
        var draw = VectorDraw(7);
        Assert.Equal(Vectors["audit.seed"], draw.Seed.ToString());
        Assert.Equal(Vectors["audit.due.one_in_7"], Due(draw, leaves: 20));
        Assert.Equal(Vectors["audit.due.one_in_1000"], Due(VectorDraw(1000), leaves: 1000));
    }

    [Fact]
    public void Draw_OneInOne_PicksEveryRow()
    {
        var draw = VectorDraw(1);
        for (var leaf = 0ul; leaf < 1000; leaf++) Assert.True(draw.IsDue(leaf, (uint)leaf));
    }

    [Fact]
    public void Draw_AnyInputChanged_IsAnother()
    {
        var (log, root, block) = (Hash("audit.log"), Hash("audit.root"), Hash("audit.block_hash"));
        var other = Hash256.Sha256("other"u8);
        Hash256[] seeds =
        [
            AuditDraw.Of(log, 1000, root, 31337, new AuditBeacon(4711, block), 7).Seed,
            AuditDraw.Of(other, 1000, root, 31337, new AuditBeacon(4711, block), 7).Seed,
            AuditDraw.Of(log, 1001, root, 31337, new AuditBeacon(4711, block), 7).Seed,
            AuditDraw.Of(log, 1000, other, 31337, new AuditBeacon(4711, block), 7).Seed,
            AuditDraw.Of(log, 1000, root, 31338, new AuditBeacon(4711, block), 7).Seed,
            AuditDraw.Of(log, 1000, root, 31337, new AuditBeacon(4712, block), 7).Seed,
            AuditDraw.Of(log, 1000, root, 31337, new AuditBeacon(4711, other), 7).Seed,
        ];
        Assert.Equal(seeds.Length, seeds.Distinct().Count());
    }

    [Fact]
    public void Draw_RateOfNone_IsACallersBug() => Assert.Throws<ArgumentOutOfRangeException>(() => VectorDraw(0));

    // A fixed set of seeds: either the derivation is fair over them or it is not. 5 standard deviations are one in 1.7 million.
    [Theory]
    [InlineData(2u)]
    [InlineData(10u)]
    [InlineData(100u)]
    [InlineData(1000u)]
    public void Draw_OverManySeeds_PicksAsManyAsChanceDoes(uint oneIn)
    {
        const int seeds = 200, leaves = 250, rows = 8;
        var p = 1.0 / oneIn;
        long total = 0;
        double squares = 0;
        for (var seed = 0; seed < seeds; seed++)
        {
            var draw = AuditDraw.Of(default, 1, Hash256.Sha256([(byte)seed, (byte)(seed >> 8)]), 1, new AuditBeacon(1, default), oneIn);
            var due = 0;
            for (var leaf = 0ul; leaf < leaves; leaf++)
                for (var row = 0u; row < rows; row++)
                    if (draw.IsDue(leaf, row)) due++;
            total += due;
            var expected = leaves * rows * p;
            squares += (due - expected) * (due - expected) / (expected * (1 - p));
        }

        double n = (double)seeds * leaves * rows;
        Assert.InRange(total, (n * p) - (5 * Math.Sqrt(n * p * (1 - p))), (n * p) + (5 * Math.Sqrt(n * p * (1 - p))));
        // The spread over the seeds is binomial too: chi squared with 200 degrees of freedom, whose deviation is 20.
        Assert.InRange(squares, seeds - (5 * Math.Sqrt(2 * seeds)), seeds + (5 * Math.Sqrt(2 * seeds)));
    }

    [Fact]
    public void Draw_OverManySeeds_PicksEachRowEquallyOften()
    {
        const int seeds = 4000;
        var counts = new int[32];
        for (var seed = 0; seed < seeds; seed++)
        {
            var draw = AuditDraw.Of(default, 1, Hash256.Sha256([(byte)seed, (byte)(seed >> 8)]), 1, new AuditBeacon(1, default), 4);
            for (var i = 0; i < counts.Length; i++)
                if (draw.IsDue((ulong)(i / 4), (uint)(i % 4))) counts[i]++;
        }

        var deviation = Math.Sqrt(seeds * 0.25 * 0.75);
        Assert.All(counts, count => Assert.InRange(count, (seeds / 4) - (5 * deviation), (seeds / 4) + (5 * deviation)));
    }

    [Theory]
    [InlineData(1000u, 1, 0.001)]
    [InlineData(1000u, 1000, 0.632304575)]
    [InlineData(10u, 22, 0.90152290978)]
    [InlineData(1u, 1, 1)]
    [InlineData(0u, 1000, 0)]
    public void DetectionProbability_OfBadRows_IsOneMinusTheChanceToMissThemAll(uint oneIn, long bad, double expected) =>
        Assert.Equal(expected, AuditDraw.DetectionProbability(oneIn, bad), 8);

    private static AuditDraw VectorDraw(uint oneIn) => AuditDraw.Of(
        Hash("audit.log"), Number("audit.size"), Hash("audit.root"), Number("audit.chain"), new AuditBeacon(Number("audit.block"), Hash("audit.block_hash")), oneIn);

    private static string Due(AuditDraw draw, ulong leaves)
    {
        var due = new List<byte>();
        for (var leaf = 0ul; leaf < leaves; leaf++)
            for (var row = 0u; row < 4; row++)
                if (draw.IsDue(leaf, row)) due.AddRange(new ByteWriter().U64(leaf).U32(row).ToArray());
        return Convert.ToHexStringLower([.. due]);
    }

    private static Hash256 Hash(string name) => Hash256.Parse(Vectors[name]);

    private static ulong Number(string name) => BinaryPrimitives.ReadUInt64BigEndian(Convert.FromHexString(Vectors[name]));

    private static Dictionary<string, string> Load()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "OpenGradient.Engine.sln"))) folder = folder.Parent;
        return JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(Path.Combine(folder?.FullName ?? "", "tests", "vectors", "audit.json"))) ?? [];
    }
}
