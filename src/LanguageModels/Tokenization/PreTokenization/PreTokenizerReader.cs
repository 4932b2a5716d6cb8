using OpenGradient.Engine.LanguageModels.Tokenization.Patterns;

namespace OpenGradient.Engine.LanguageModels.Tokenization.PreTokenization;

/// <summary>Makes the pre-tokenizers that a tokenizer file names.</summary>
internal static class PreTokenizerReader
{
    private const int MaxSteps = 64;
    private const int MaxDepth = 8;

    // Join controls count as letters of words for this one, which the reference takes from another pattern library.
    private static readonly CodePointSet WordWithJoiners = new(point => point is 0x200C or 0x200D || UnicodeSets.Word.Contains(point));

    private static readonly CodePointSet BertPunctuation = new(point => UnicodeSets.Punctuation.Contains(point) || (point < 128 && (char.IsPunctuation((char)point) || char.IsSymbol((char)point))));

    public static IPreTokenizer Read(FilePart part, int depth = 0)
    {
        var type = part.RequiredText("type");
        switch (type)
        {
            case "Sequence":
                if (depth >= MaxDepth) throw part.Refuse($"sequences nested more than {MaxDepth} deep");
                return new PreTokenizerSequence([.. part.Only("pretokenizers").Parts("pretokenizers", MaxSteps).Select(each => Read(each, depth + 1))]);
            case "ByteLevel":
                part.Only("add_prefix_space", "trim_offsets", "use_regex");
                return new ByteLevel(part.Flag("add_prefix_space", true), part.Flag("use_regex", true) ? TextPattern.Regex(ByteLevel.Gpt2) : null);
            case "Split":
                part.Only("pattern", "behavior", "invert");
                return new PatternSplit(part.Pattern("pattern"), Splitting.Read(part), part.Flag("invert", false));
            case "Metaspace":
                // str_rep repeats the replacement in older files.
                part.Only("replacement", "prepend_scheme", "add_prefix_space", "split", "str_rep");
                var replacement = part.Letter("replacement", "\u2581");
                if (part.Text("str_rep") is { } repeated && repeated != replacement) throw part.Refuse("str_rep is not the replacement");
                return new Metaspace(replacement, Metaspace.ReadScheme(part), part.Flag("split", true));
            case "Digits":
                part.Only("individual_digits");
                return new SetSplit(UnicodeSets.Number, part.Flag("individual_digits", false) ? SplitBehavior.Isolated : SplitBehavior.Contiguous);
            case "Punctuation":
                return new SetSplit(BertPunctuation, Splitting.Read(part.Only("behavior"), SplitBehavior.Isolated));
            case "WhitespaceSplit":
                part.Only();
                return new SetSplit(UnicodeSets.Space, SplitBehavior.Removed);
            case "Whitespace":
                part.Only();
                return new PreTokenizerSequence([new SetSplit(UnicodeSets.Space, SplitBehavior.Removed), new SetSplit(WordWithJoiners, SplitBehavior.Contiguous)]);
            case "BertPreTokenizer":
                part.Only();
                return new PreTokenizerSequence([new SetSplit(UnicodeSets.Space, SplitBehavior.Removed), new SetSplit(BertPunctuation, SplitBehavior.Isolated)]);
            default:
                throw part.Refuse($"the pre-tokenizer '{type}' is not understood");
        }
    }
}
