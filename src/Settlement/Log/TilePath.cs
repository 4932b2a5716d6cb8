using System.Globalization;

namespace OpenGradient.Engine.Settlement.Log;

/// <summary>Relative paths of C2SP tlog-tiles: <c>tile/&lt;L&gt;/&lt;N&gt;[.p/&lt;W&gt;]</c>, N in groups of three digits, all but the last behind an <c>x</c>.</summary>
public static class TilePath
{
    /// <summary>Hashes per full tile, and entries per full bundle.</summary>
    public const int Width = 256;

    public const string Checkpoint = "checkpoint";

    /// <param name="level">Tile level; entry bundles have none.</param>
    /// <param name="index">Tile number.</param>
    /// <param name="width">1 to 256; fewer than 256 is a partial tile.</param>
    public static string Tile(int level, ulong index, int width) => Of(level.ToString(CultureInfo.InvariantCulture), index, width);

    public static string Entries(ulong index, int width) => Of("entries", index, width);

    private static string Of(string kind, ulong index, int width)
    {
        var groups = (index % 1000).ToString("D3", CultureInfo.InvariantCulture);
        for (index /= 1000; index > 0; index /= 1000) groups = $"x{(index % 1000).ToString("D3", CultureInfo.InvariantCulture)}/{groups}";
        return width == Width ? $"tile/{kind}/{groups}" : $"tile/{kind}/{groups}.p/{width.ToString(CultureInfo.InvariantCulture)}";
    }
}
