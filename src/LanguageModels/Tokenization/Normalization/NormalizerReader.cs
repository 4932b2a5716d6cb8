using OpenGradient.Engine.LanguageModels.Tokenization.Patterns;

namespace OpenGradient.Engine.LanguageModels.Tokenization.Normalization;

/// <summary>Makes the normalizers that a tokenizer file names.</summary>
internal static class NormalizerReader
{
    private const int MaxSteps = 64;
    private const int MaxDepth = 8;

    public static INormalizer Read(FilePart part, int depth = 0)
    {
        var type = part.RequiredText("type");
        switch (type)
        {
            case "Sequence":
                if (depth >= MaxDepth) throw part.Refuse($"sequences nested more than {MaxDepth} deep");
                return new NormalizerSequence([.. part.Only("normalizers").Parts("normalizers", MaxSteps).Select(each => Read(each, depth + 1))]);
            case "NFC" or "NFD" or "NFKC" or "NFKD":
                part.Only();
                return new UnicodeForm(compose: type is "NFC" or "NFKC", compatible: type is "NFKC" or "NFKD");
            case "Lowercase":
                part.Only();
                return new Lowercase();
            case "StripAccents":
                part.Only();
                return new Removal(UnicodeSets.Mark);
            case "Nmt":
                part.Only();
                return new NmtCleaning();
            case "ByteLevel":
                part.Only();
                return new ByteLetters();
            case "Prepend":
                return new Prefix(part.Only("prepend").RequiredText("prepend"));
            case "Strip":
                part.Only("strip_left", "strip_right");
                return new EdgeSpace(part.Flag("strip_left", true), part.Flag("strip_right", true));
            case "Replace":
                return new Replacement(part.Only("pattern", "content").Pattern("pattern"), part.RequiredText("content"));
            case "Precompiled":
                return PrecompiledMap.Read(part.Only("precompiled_charsmap"));
            default:
                throw part.Refuse($"the normalizer '{type}' is not understood");
        }
    }
}
