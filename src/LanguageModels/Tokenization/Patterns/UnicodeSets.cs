using System.Globalization;

namespace OpenGradient.Engine.LanguageModels.Tokenization.Patterns;

/// <summary>The classes that patterns name, as Oniguruma has them for Unicode text.</summary>
internal static class UnicodeSets
{
    // Marks and numbers outside of the letters, which count as letters of words: circled and squared Latin.
    private static readonly (int First, int Last)[] OtherAlphabetic = [(0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189)];

    private static readonly Dictionary<string, CodePointSet> Named = Build();

    public static CodePointSet Space { get; } = Named["space"];

    public static CodePointSet Digit { get; } = Named["nd"];

    public static CodePointSet Number { get; } = Named["n"];

    public static CodePointSet Word { get; } = Named["word"];

    /// <summary>What <c>\w</c> is outside of brackets: there Oniguruma's table for Latin-1 adds superscripts and fractions.</summary>
    public static CodePointSet LooseWord { get; } = new(point => point is 0xB2 or 0xB3 or 0xB9 or (>= 0xBC and <= 0xBE) || Word.Contains(point));

    public static CodePointSet HexDigit { get; } = Named["xdigit"];

    public static CodePointSet Punctuation { get; } = Named["p"];

    public static CodePointSet Mark { get; } = Named["m"];

    public static CodePointSet NotNewline { get; } = new(point => point != '\n');

    public static CodePointSet All { get; } = new(_ => true);

    /// <summary>The set of a property's name; spaces, hyphens, underscores and case do not count.</summary>
    public static CodePointSet? Find(string name)
    {
        var plain = string.Concat(name.Where(letter => letter is not (' ' or '-' or '_'))).ToLowerInvariant();
        return Named.GetValueOrDefault(plain.StartsWith("script=", StringComparison.Ordinal) ? plain["script=".Length..] : plain);
    }

    private static Dictionary<string, CodePointSet> Build()
    {
        var sets = new Dictionary<string, CodePointSet>();
        AddCategories(sets);
        AddProperties(sets);
        foreach (var (name, ranges) in Scripts.Ranges) sets[name] = new CodePointSet(point => Within(point, ranges));
        return sets;
    }

    private static void AddCategories(Dictionary<string, CodePointSet> sets)
    {
        (string Short, string Long, UnicodeCategory Category)[] all =
        [
            ("lu", "uppercaseletter", UnicodeCategory.UppercaseLetter), ("ll", "lowercaseletter", UnicodeCategory.LowercaseLetter),
            ("lt", "titlecaseletter", UnicodeCategory.TitlecaseLetter), ("lm", "modifierletter", UnicodeCategory.ModifierLetter),
            ("lo", "otherletter", UnicodeCategory.OtherLetter), ("mn", "nonspacingmark", UnicodeCategory.NonSpacingMark),
            ("mc", "spacingmark", UnicodeCategory.SpacingCombiningMark), ("me", "enclosingmark", UnicodeCategory.EnclosingMark),
            ("nd", "decimalnumber", UnicodeCategory.DecimalDigitNumber), ("nl", "letternumber", UnicodeCategory.LetterNumber),
            ("no", "othernumber", UnicodeCategory.OtherNumber), ("zs", "spaceseparator", UnicodeCategory.SpaceSeparator),
            ("zl", "lineseparator", UnicodeCategory.LineSeparator), ("zp", "paragraphseparator", UnicodeCategory.ParagraphSeparator),
            ("cc", "control", UnicodeCategory.Control), ("cf", "format", UnicodeCategory.Format), ("cs", "surrogate", UnicodeCategory.Surrogate),
            ("co", "privateuse", UnicodeCategory.PrivateUse), ("cn", "unassigned", UnicodeCategory.OtherNotAssigned),
            ("pc", "connectorpunctuation", UnicodeCategory.ConnectorPunctuation), ("pd", "dashpunctuation", UnicodeCategory.DashPunctuation),
            ("ps", "openpunctuation", UnicodeCategory.OpenPunctuation), ("pe", "closepunctuation", UnicodeCategory.ClosePunctuation),
            ("pi", "initialpunctuation", UnicodeCategory.InitialQuotePunctuation), ("pf", "finalpunctuation", UnicodeCategory.FinalQuotePunctuation),
            ("po", "otherpunctuation", UnicodeCategory.OtherPunctuation), ("sm", "mathsymbol", UnicodeCategory.MathSymbol),
            ("sc", "currencysymbol", UnicodeCategory.CurrencySymbol), ("sk", "modifiersymbol", UnicodeCategory.ModifierSymbol),
            ("so", "othersymbol", UnicodeCategory.OtherSymbol),
        ];
        foreach (var (name, alias, category) in all) sets[name] = sets[alias] = new CodePointSet(point => CharUnicodeInfo.GetUnicodeCategory(point) == category);
        (string Short, string Long)[] groups = [("l", "letter"), ("m", "mark"), ("n", "number"), ("p", "punctuation"), ("s", "symbol"), ("z", "separator"), ("c", "other")];
        foreach (var (name, alias) in groups)
        {
            var members = all.Where(each => each.Short[0] == name[0]).Select(each => each.Category).ToHashSet();
            sets[name] = sets[alias] = new CodePointSet(point => members.Contains(CharUnicodeInfo.GetUnicodeCategory(point)));
        }

        sets["lc"] = sets["casedletter"] = new CodePointSet(point => sets["lu"].Contains(point) || sets["ll"].Contains(point) || sets["lt"].Contains(point));
        sets["combiningmark"] = sets["m"];
        sets["punct"] = sets["p"];
    }

    private static void AddProperties(Dictionary<string, CodePointSet> sets)
    {
        CodePointSet letter = sets["l"], mark = sets["m"], digit = sets["nd"];
        var alphabetic = new CodePointSet(point => letter.Contains(point) || sets["nl"].Contains(point) || Within(point, OtherAlphabetic));
        sets["word"] = sets["w"] = new CodePointSet(point => alphabetic.Contains(point) || mark.Contains(point) || digit.Contains(point) || sets["pc"].Contains(point));
        sets["alpha"] = sets["alphabetic"] = alphabetic;
        sets["alnum"] = new CodePointSet(point => alphabetic.Contains(point) || digit.Contains(point));
        sets["space"] = sets["whitespace"] = new CodePointSet(point => point <= char.MaxValue && char.IsWhiteSpace((char)point));
        sets["blank"] = new CodePointSet(point => point == '\t' || sets["zs"].Contains(point));
        sets["cntrl"] = sets["cc"];
        sets["digit"] = digit;
        sets["xdigit"] = sets["asciihexdigit"] = new CodePointSet(point => point < 128 && char.IsAsciiHexDigit((char)point));
        sets["upper"] = sets["uppercase"] = sets["lu"];
        sets["lower"] = sets["lowercase"] = sets["ll"];
        sets["any"] = new CodePointSet(_ => true);
        sets["ascii"] = new CodePointSet(point => point < 128);
        sets["assigned"] = sets["cn"].Not();
    }

    private static bool Within(int point, (int First, int Last)[] ranges)
    {
        foreach (var (first, last) in ranges)
            if (point >= first && point <= last) return true;
        return false;
    }
}
