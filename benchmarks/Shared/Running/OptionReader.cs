using System.Globalization;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>Reads a command line: one option without a value, all others in pairs of name and value. A refusal names the option.</summary>
internal static class OptionReader
{
    /// <param name="flag">The option without a value.</param>
    /// <param name="with">The options with one more pair.</param>
    /// <exception cref="FormatException">An argument is not understood; the message names it.</exception>
    public static T Read<T>(T options, string[] arguments, string flag, Func<T, T> flagged, Func<T, string, string, T> with)
    {
        for (var i = 0; i < arguments.Length; i++)
        {
            var name = arguments[i];
            if (name == flag)
            {
                options = flagged(options);
                continue;
            }

            if (++i == arguments.Length) throw new FormatException($"{name}: unknown, or its value is missing; see --help");
            options = with(options, name, arguments[i]);
        }

        return options;
    }

    public static FormatException Unknown(string name) => new($"{name}: unknown; see --help");

    public static int Whole(string name, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new FormatException($"{name}: '{value}' is not a whole number");

    public static int Whole(string name, string value, int least, int most) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new FormatException($"{name}: '{value}' is not a whole number from {least} to {most}");

    public static double Number(string name, string value, double least, double most) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new FormatException($"{name}: '{value}' is not a number from {least} to {most}");

    /// <summary>A share of what there is, separated by commas; each once.</summary>
    public static string[] Chosen(string name, string value, IReadOnlyCollection<string> known)
    {
        var chosen = value.Split(',').Distinct().ToArray();
        return chosen.All(known.Contains) ? chosen : throw new FormatException($"{name}: '{value}'; choose of {string.Join(',', known)}");
    }
}
