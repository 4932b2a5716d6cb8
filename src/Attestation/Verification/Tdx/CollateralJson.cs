using System.Globalization;
using System.Text.Json;

namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>
/// Reads the members that Intel's collateral has. Every method throws <see cref="FormatException"/>, <see cref="InvalidOperationException"/> or
/// <see cref="KeyNotFoundException"/> where a member is missing or not of its kind. Unknown members are passed over: they are signed too, and Intel adds some.
/// </summary>
internal static class CollateralJson
{
    private const int MostLevels = 256;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    public static JsonDocument Parse(ReadOnlyMemory<byte> json) => JsonDocument.Parse(json, Strict);

    public static string Text(JsonElement parent, string name) => parent.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null");

    public static byte[] Hex(JsonElement parent, string name, int size)
    {
        var text = Text(parent, name);
        return text.Length == size * 2 ? Convert.FromHexString(text) : throw new FormatException($"{name} has {text.Length} letters, not {size * 2}");
    }

    public static int Number(JsonElement parent, string name, int most)
    {
        var number = parent.GetProperty(name).GetInt32();
        return number >= 0 && number <= most ? number : throw new FormatException($"{name} is {number}");
    }

    public static DateTimeOffset Time(JsonElement parent, string name) => DateTimeOffset.ParseExact(
        Text(parent, name), "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    public static List<T> List<T>(JsonElement parent, string name, Func<JsonElement, T> read)
    {
        var array = parent.GetProperty(name);
        if (array.GetArrayLength() > MostLevels) throw new FormatException($"{name} has {array.GetArrayLength()} entries");
        var found = new List<T>();
        foreach (var entry in array.EnumerateArray()) found.Add(read(entry));
        return found;
    }

    /// <summary>Levels from the highest down, as Intel's library holds them against a platform in whatever order they stand; two equal ones are an error there too.</summary>
    public static List<T> Levels<T>(JsonElement parent, Func<JsonElement, T> read, Comparison<T> compare)
    {
        var levels = List(parent, "tcbLevels", read);
        levels.Sort((one, other) => compare(other, one));
        for (var index = 1; index < levels.Count; index++)
        {
            if (compare(levels[index - 1], levels[index]) == 0) throw new FormatException("a TCB level stands twice");
        }

        return levels;
    }

    public static IReadOnlyList<string> Advisories(JsonElement level) => level.TryGetProperty("advisoryIDs", out _)
        ? List(level, "advisoryIDs", entry => entry.GetString() ?? throw new FormatException("an advisory is null"))
        : [];

    public static TdxTcbStatus Status(JsonElement level) => Text(level, "tcbStatus") switch
    {
        "UpToDate" => TdxTcbStatus.UpToDate,
        "SWHardeningNeeded" => TdxTcbStatus.SWHardeningNeeded,
        "ConfigurationNeeded" => TdxTcbStatus.ConfigurationNeeded,
        "ConfigurationAndSWHardeningNeeded" => TdxTcbStatus.ConfigurationAndSWHardeningNeeded,
        "OutOfDate" => TdxTcbStatus.OutOfDate,
        "OutOfDateConfigurationNeeded" => TdxTcbStatus.OutOfDateConfigurationNeeded,
        "Revoked" => TdxTcbStatus.Revoked,
        var other => throw new FormatException($"tcbStatus {other[..Math.Min(other.Length, 40)]}"),
    };
}
