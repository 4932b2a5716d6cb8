using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace OpenGradient.Engine.Formats;

/// <summary>One signature line of a note.</summary>
/// <param name="Signature">What follows the key id.</param>
public sealed record NoteSignature(string Name, uint KeyId, ReadOnlyMemory<byte> Signature)
{
    public bool IsBy(VerifierKey key) => Name == key.Name && KeyId == key.KeyId;
}

/// <summary>What a note says under one key.</summary>
public enum SignatureStanding
{
    /// <summary>No line names the key.</summary>
    Absent,
    Valid,

    /// <summary>A line names the key and does not verify: the whole note is malformed.</summary>
    Invalid,
}

/// <summary>Anybody's signed checkpoint as bytes give it (C2SP tlog-checkpoint over signed-note): nothing of it is trusted before <see cref="Check"/>.</summary>
public sealed class CheckpointNote
{
    /// <summary>64 KiB: the 16 signatures that a verifier must accept, of the largest kind there is.</summary>
    public const int MaxSize = 64 << 10;

    private CheckpointNote(string origin, ulong size, Hash256 root, byte[] text, IReadOnlyList<NoteSignature> signatures) =>
        (Origin, Size, Root, Text, Signatures) = (origin, size, root, text, signatures);

    /// <summary>The log's name.</summary>
    public string Origin { get; }

    public ulong Size { get; }

    public Hash256 Root { get; }

    /// <summary>What is signed: every line before the blank one, each with its newline.</summary>
    public ReadOnlyMemory<byte> Text { get; }

    public IReadOnlyList<NoteSignature> Signatures { get; }

    /// <exception cref="FormatException">Not a signed checkpoint; the message names what was wrong.</exception>
    public static CheckpointNote Parse(ReadOnlySpan<byte> note)
    {
        var whole = Decode(note, "checkpoint");
        var blank = whole.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (blank < 0) throw new FormatException("checkpoint: no blank line between text and signatures");
        var text = whole[..(blank + 1)];
        var lines = text[..^1].Split('\n');
        if (lines.Length < 3 || lines.Any(line => line.Length == 0)) throw new FormatException("checkpoint: three lines or more are expected, none of them empty");
        var size = ParseSize(lines[1]) ?? throw new FormatException("checkpoint: the second line is not a tree size");
        var root = ParseHash(lines[2]) ?? throw new FormatException("checkpoint: the third line is not a root hash in base64");
        return new(lines[0], size, root, Encoding.UTF8.GetBytes(text), Lines(whole[(blank + 2)..]));
    }

    /// <summary>Signature lines alone, as a witness answers them and a bundle carries them.</summary>
    /// <exception cref="FormatException">Something else than whole signature lines.</exception>
    public static IReadOnlyList<NoteSignature> ParseSignatures(ReadOnlySpan<byte> lines) => Lines(Decode(lines, "signature lines"));

    /// <summary>Decimal without leading zeros; null for anything else.</summary>
    public static ulong? ParseSize(string text) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size.ToString(CultureInfo.InvariantCulture) == text ? size : null;

    /// <summary>A hash in canonical base64; null for anything else.</summary>
    public static Hash256? ParseHash(string text)
    {
        Span<byte> bytes = stackalloc byte[Hash256.Size + 3];
        return Convert.TryFromBase64String(text, bytes, out var written) && written == Hash256.Size && Convert.ToBase64String(bytes[..written]) == text ? new Hash256(bytes[..written]) : null;
    }

    /// <summary>Whether the key signed this note.</summary>
    public SignatureStanding Check(VerifierKey key, ISignatureVerifier signatures)
    {
        var standing = SignatureStanding.Absent;
        foreach (var line in Signatures)
        {
            if (!line.IsBy(key)) continue;
            var holds = key.Type == NoteKeyType.Cosignature
                ? Cosignature.Verify(key, Text.Span, line.Signature.Span, signatures)
                : signatures.VerifyEd25519(key.PublicKey.Span, Text.Span, line.Signature.Span);
            if (!holds) return SignatureStanding.Invalid;
            standing = SignatureStanding.Valid;
        }

        return standing;
    }

    private static string Decode(ReadOnlySpan<byte> bytes, string what)
    {
        if (bytes.Length > MaxSize) throw new FormatException($"{what}: more than {MaxSize} bytes");
        if (bytes.IsEmpty || bytes[^1] != '\n') throw new FormatException($"{what}: no newline at the end");
        foreach (var value in bytes)
            if (value < 0x20 && value != '\n') throw new FormatException($"{what}: a control character");
        return Names.FromUtf8(bytes) ?? throw new FormatException($"{what}: not UTF-8");
    }

    private static List<NoteSignature> Lines(string text)
    {
        var signatures = new List<NoteSignature>();
        foreach (var line in text[..^1].Split('\n'))
        {
            var parts = line.Split(' ');
            var stamp = new byte[line.Length];
            if (parts.Length != 3 || parts[0] != "\u2014" || !VerifierKey.IsName(parts[1])
                || !Convert.TryFromBase64String(parts[2], stamp, out var length) || length <= 4 || Convert.ToBase64String(stamp.AsSpan(0, length)) != parts[2])
                throw new FormatException($"signature lines: line {signatures.Count + 1} is not dash, name and base64");
            signatures.Add(new(parts[1], BinaryPrimitives.ReadUInt32BigEndian(stamp), stamp.AsMemory(4, length - 4)));
        }

        return signatures;
    }
}
