using System.Globalization;
using System.Text;
using OpenGradient.Engine.LanguageModels.Templates.Syntax;

namespace OpenGradient.Engine.LanguageModels.Templates.Library;

/// <summary>Python's <c>strftime</c>, in English.</summary>
internal static class PythonTime
{
    public static string Format(string format, DateTimeOffset time)
    {
        var text = new StringBuilder();
        for (var at = 0; at < format.Length; at++)
        {
            if (format[at] != '%' || at + 1 == format.Length)
            {
                text.Append(format[at]);
                continue;
            }

            // The hyphen leaves leading zeros out.
            var plain = format[++at] == '-' && at + 1 < format.Length;
            if (plain) at++;
            var part = Part(format[at], time);
            text.Append(plain ? part.TrimStart('0') is { Length: > 0 } trimmed ? trimmed : "0" : part);
        }

        return text.ToString();
    }

    private static string Part(char letter, DateTimeOffset time) => letter switch
    {
        'Y' => Said(time, "yyyy"),
        'y' => Said(time, "yy"),
        'm' => Said(time, "MM"),
        'd' => Said(time, "dd"),
        'e' => time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
        'B' => Said(time, "MMMM"),
        'b' => Said(time, "MMM"),
        'A' => Said(time, "dddd"),
        'a' => Said(time, "ddd"),
        'H' => Said(time, "HH"),
        'I' => Said(time, "hh"),
        'M' => Said(time, "mm"),
        'S' => Said(time, "ss"),
        'f' => Said(time, "ffffff"),
        'p' => Said(time, "tt"),
        'j' => time.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
        'F' => Said(time, "yyyy-MM-dd"),
        'T' => Said(time, "HH:mm:ss"),
        'z' => Said(time, "zzz").Replace(":", ""),
        'Z' => time.Offset == TimeSpan.Zero ? "UTC" : "",
        '%' => "%",
        _ => throw new TemplateFault($"strftime_now: '%{letter}' is not understood"),
    };

    // A lone letter would be read as the name of a standard format.
    private static string Said(DateTimeOffset time, string format) => time.ToString(format, CultureInfo.InvariantCulture);
}
