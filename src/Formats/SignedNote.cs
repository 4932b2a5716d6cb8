using System.Text;

namespace OpenGradient.Engine.Formats;

/// <summary>A log's checkpoint as a C2SP signed note with one Ed25519 signature (docs/formats.md, "Log and checkpoint").</summary>
public static class SignedNote
{
    public const int MaxSize = 4096;

    /// <summary>The log's identity: H(tag ‖ public key).</summary>
    public static Hash256 LogIdOf(ReadOnlySpan<byte> publicKey) =>
        Hash256.Sha256(new ByteWriter().Tag("OGE log v1"u8).Bytes(publicKey).ToArray());

    public static string Origin(in Hash256 logId) => $"opengradient.engine/log/{logId}";

    /// <summary>The text that is signed: three lines, each with its newline.</summary>
    public static byte[] Text(in Hash256 logId, ulong size, in Hash256 root) =>
        Encoding.ASCII.GetBytes($"{Origin(logId)}\n{size}\n{Convert.ToBase64String(root.Bytes)}\n");

    /// <summary>The whole note: text, blank line, signature line.</summary>
    public static byte[] Encode(ReadOnlySpan<byte> publicKey, ulong size, in Hash256 root, ReadOnlySpan<byte> signature)
    {
        var logId = LogIdOf(publicKey);
        byte[] stamped = [.. KeyId(publicKey), .. signature];
        return Encoding.UTF8.GetBytes($"{Encoding.ASCII.GetString(Text(logId, size, root))}\n\u2014 {Origin(logId)} {Convert.ToBase64String(stamped)}\n");
    }

    /// <summary>The verifier key in C2SP's vkey form, for witnesses and log tooling.</summary>
    public static string VerifierKey(ReadOnlySpan<byte> publicKey) => KeyOf(publicKey).ToString();

    /// <summary>The log's key under its origin.</summary>
    public static VerifierKey KeyOf(ReadOnlySpan<byte> publicKey) => new(Origin(LogIdOf(publicKey)), NoteKeyType.Ed25519, publicKey.ToArray());

    /// <summary>The 64 signature bytes of a note, if the note is exactly what <see cref="Encode"/> writes for this key, size and root.</summary>
    public static byte[]? SignatureOf(ReadOnlySpan<byte> note, ReadOnlySpan<byte> publicKey, ulong size, in Hash256 root)
    {
        var bare = Encode(publicKey, size, root, new byte[64]);
        const int encodedStamp = 92; // base64 of 68 bytes
        if (note.Length != bare.Length) return null;
        var stamp = new byte[69];
        var text = note.Slice(note.Length - encodedStamp - 1, encodedStamp);
        if (!Convert.TryFromBase64String(Encoding.ASCII.GetString(text), stamp, out var written) || written != 68) return null;
        return Encode(publicKey, size, root, stamp.AsSpan(4, 64)).AsSpan().SequenceEqual(note) ? stamp[4..68] : null;
    }

    private static byte[] KeyId(ReadOnlySpan<byte> publicKey)
    {
        byte[] input = [.. Encoding.ASCII.GetBytes(Origin(LogIdOf(publicKey))), 0x0a, 0x01, .. publicKey];
        return Hash256.Sha256(input).Bytes[..4].ToArray();
    }
}
