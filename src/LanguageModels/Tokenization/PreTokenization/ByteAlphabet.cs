namespace OpenGradient.Engine.LanguageModels.Tokenization.PreTokenization;

/// <summary>The letters that stand for bytes in byte-level vocabularies: GPT-2's, printable ones for themselves, U+0100 on for the others.</summary>
internal static class ByteAlphabet
{
    private static readonly char[] Letters = Build();

    // One above each letter's byte; zero for what is no letter of the alphabet.
    private static readonly short[] Bytes = Invert();

    public static char LetterOf(byte value) => Letters[value];

    public static bool TryByteOf(char letter, out byte value)
    {
        var found = letter < Bytes.Length ? Bytes[letter] : 0;
        value = (byte)(found - 1);
        return found != 0;
    }

    private static char[] Build()
    {
        var letters = new char[256];
        var next = '\u0100';
        for (var value = 0; value < 256; value++)
            letters[value] = value is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? (char)value : next++;
        return letters;
    }

    private static short[] Invert()
    {
        var bytes = new short[0x144];
        for (var value = 0; value < 256; value++) bytes[Letters[value]] = (short)(value + 1);
        return bytes;
    }
}
