using System.Text;

namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>
/// Certificates in PEM, exactly as Intel's services write them: lines of 64 letters, line feeds, nothing between.
/// One certificate has one spelling, so no bit of a quote's chain is free.
/// </summary>
internal static class PemChain
{
    private const int MostBytes = 16 * 1024, MostCertificates = 5, LineLetters = 64;
    private const string Begin = "-----BEGIN CERTIFICATE-----", End = "-----END CERTIFICATE-----";

    /// <param name="pem">The chain.</param>
    /// <param name="inQuote">One line feed and one zero byte may follow, as quoting libraries leave them; elsewhere, any number of line feeds.</param>
    /// <returns>DER of each, in the order found.</returns>
    /// <exception cref="FormatException">Not such a chain.</exception>
    public static List<ReadOnlyMemory<byte>> Read(ReadOnlySpan<byte> pem, bool inQuote)
    {
        if (pem.Length > MostBytes) throw new FormatException($"PEM chain: {pem.Length} bytes; at most {MostBytes} are read");
        if (pem.ContainsAnyExceptInRange((byte)0, (byte)0x7F)) throw new FormatException("PEM chain: a letter that is not ASCII");
        var text = Encoding.ASCII.GetString(pem);
        if (!inQuote) text = text.TrimEnd('\n');
        if (inQuote && text.EndsWith('\0')) text = text[..^1];
        if (text.EndsWith('\n')) text = text[..^1];
        return Certificates(text.Split('\n'));
    }

    private static List<ReadOnlyMemory<byte>> Certificates(string[] lines)
    {
        var found = new List<ReadOnlyMemory<byte>>();
        for (var line = 0; line < lines.Length;)
        {
            if (found.Count == MostCertificates) throw new FormatException($"PEM chain: more than {MostCertificates} certificates");
            if (lines[line] != Begin) throw new FormatException($"PEM chain: line {line + 1} begins no certificate");
            var end = Array.IndexOf(lines, End, line);
            if (end < 0) throw new FormatException("PEM chain: a certificate does not end");
            found.Add(Body(lines.AsSpan(line + 1, end - line - 1)));
            line = end + 1;
        }

        return found;
    }

    private static byte[] Body(ReadOnlySpan<string> lines)
    {
        for (var line = 0; line < lines.Length; line++)
        {
            var whole = line < lines.Length - 1 ? lines[line].Length == LineLetters : lines[line].Length is > 0 and <= LineLetters;
            if (!whole) throw new FormatException($"PEM chain: a line of {lines[line].Length} letters");
        }

        var letters = string.Concat(lines);
        var der = Convert.FromBase64String(letters);
        // Unused bits of the last letter, and white space, which the decoder forgives.
        if (Convert.ToBase64String(der) != letters) throw new FormatException("PEM chain: base64 that is not canonical");
        return der;
    }
}
