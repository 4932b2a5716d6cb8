using System.Buffers.Binary;
using System.Text;

namespace OpenGradient.Engine.Formats;

/// <summary>C2SP <c>cosignature/v1</c>: a witness's word that a checkpoint is consistent with every other it has seen of that log.</summary>
public static class Cosignature
{
    /// <summary>u64 seconds since 1970 ‖ Ed25519 signature.</summary>
    public const int Size = 8 + 64;

    /// <summary>What a witness signs: two lines before the checkpoint's text.</summary>
    /// <param name="timestamp">Seconds since 1970.</param>
    /// <param name="text">The checkpoint's text with its last newline.</param>
    public static byte[] Message(ulong timestamp, ReadOnlySpan<byte> text) => [.. Encoding.ASCII.GetBytes($"cosignature/v1\ntime {timestamp}\n"), .. text];

    /// <summary>The note's signature line, with its newline.</summary>
    /// <param name="witness">Of type <see cref="NoteKeyType.Cosignature"/>.</param>
    /// <param name="signature">64 bytes over <see cref="Message"/>.</param>
    public static byte[] Line(VerifierKey witness, ulong timestamp, ReadOnlySpan<byte> signature)
    {
        var stamp = new byte[4 + Size];
        BinaryPrimitives.WriteUInt32BigEndian(stamp, witness.KeyId);
        BinaryPrimitives.WriteUInt64BigEndian(stamp.AsSpan(4), timestamp);
        signature.CopyTo(stamp.AsSpan(12));
        return Encoding.UTF8.GetBytes($"\u2014 {witness.Name} {Convert.ToBase64String(stamp)}\n");
    }

    /// <summary>When the witness cosigned; null for bytes that are no cosignature.</summary>
    public static ulong? TimeOf(ReadOnlySpan<byte> stamped) =>
        stamped.Length == Size && BinaryPrimitives.ReadUInt64BigEndian(stamped) is > 0 and <= long.MaxValue and var time ? time : null;

    /// <summary>Whether these 72 bytes are the witness's cosignature of the text.</summary>
    public static bool Verify(VerifierKey witness, ReadOnlySpan<byte> text, ReadOnlySpan<byte> stamped, ISignatureVerifier signatures) =>
        witness.Type == NoteKeyType.Cosignature && TimeOf(stamped) is { } time && signatures.VerifyEd25519(witness.PublicKey.Span, Message(time, text), stamped[8..]);
}
