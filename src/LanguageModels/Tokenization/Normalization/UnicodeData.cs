using System.Globalization;

namespace OpenGradient.Engine.LanguageModels.Tokenization.Normalization;

/// <summary>Decompositions, compositions and combining classes, from <c>unicode-data.txt</c> beside this file. Read at first use.</summary>
internal static class UnicodeData
{
    private static readonly Lazy<Tables> Data = new(Tables.Read);

    /// <summary>The full decomposition, or null where the code point stands for itself.</summary>
    public static int[]? Decomposition(int point, bool compatible) => (compatible ? Data.Value.Compatible : Data.Value.Canonical).GetValueOrDefault(point);

    public static int? Composition(int first, int second) => Data.Value.Pairs.TryGetValue(((long)first << 32) | (uint)second, out var joined) ? joined : null;

    /// <summary>The combining class; 0 for all that begin a sequence.</summary>
    public static int Class(int point) => point < 0x300 ? 0 : Data.Value.Classes.GetValueOrDefault(point);

    private sealed class Tables
    {
        private readonly Dictionary<int, int[]> _canonicalSteps = [];
        private readonly Dictionary<int, int[]> _compatibleSteps = [];

        public Dictionary<int, int[]> Canonical { get; } = [];

        public Dictionary<int, int[]> Compatible { get; } = [];

        public Dictionary<long, int> Pairs { get; } = [];

        public Dictionary<int, byte> Classes { get; } = [];

        public static Tables Read()
        {
            var tables = new Tables();
            using var stream = typeof(UnicodeData).Assembly.GetManifestResourceStream("unicode-data.txt")!;
            using var reader = new StreamReader(stream);
            while (reader.ReadLine() is { } line)
                if (line.Length > 0 && line[0] != '#') tables.Add(line.Split(' '));
            foreach (var point in tables._canonicalSteps.Keys) tables.Canonical[point] = tables.Expand(point, compatible: false);
            foreach (var point in tables._canonicalSteps.Keys.Concat(tables._compatibleSteps.Keys)) tables.Compatible[point] = tables.Expand(point, compatible: true);
            return tables;
        }

        private void Add(string[] fields)
        {
            var points = fields[1..].Select(field => int.Parse(field, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)).ToArray();
            switch (fields[0])
            {
                case "pair" or "alone":
                    _canonicalSteps[points[0]] = points[1..];
                    if (fields[0] == "pair") Pairs[((long)points[1] << 32) | (uint)points[2]] = points[0];
                    break;
                case "like":
                    _compatibleSteps[points[0]] = points[1..];
                    break;
                default:
                    for (var point = points[1]; point <= points[2]; point++) Classes[point] = (byte)points[0];
                    break;
            }
        }

        private int[] Expand(int point, bool compatible)
        {
            var step = _canonicalSteps.GetValueOrDefault(point) ?? (compatible ? _compatibleSteps.GetValueOrDefault(point) : null);
            return step is null ? [point] : [.. step.SelectMany(each => Expand(each, compatible))];
        }
    }
}
