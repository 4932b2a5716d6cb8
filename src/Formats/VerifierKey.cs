using System.Buffers.Binary;
using System.Text;

namespace OpenGradient.Engine.Formats;

/// <summary>Signature types of C2SP notes that this project reads. Numbers are part of key ids and verifier keys.</summary>
public enum NoteKeyType : byte
{
    /// <summary>Ed25519 over the note's text: logs.</summary>
    Ed25519 = 1,

    /// <summary>Timestamped Ed25519, <c>cosignature/v1</c>: witnesses.</summary>
    Cosignature = 4,
}

/// <summary>A public key under its name, in the vkey form of C2SP signed notes: <c>name+key id+base64(type ‖ key)</c>.</summary>
/// <param name="PublicKey">32 bytes, Ed25519.</param>
public sealed record VerifierKey(string Name, NoteKeyType Type, ReadOnlyMemory<byte> PublicKey)
{
    public const int KeySize = 32;

    /// <summary>Far longer than any host name and path in use; bounds what a note may carry.</summary>
    public const int MaxNameLength = 256;

    /// <summary>The first 4 bytes of SHA-256(name ‖ 0x0a ‖ type ‖ key), big-endian.</summary>
    public uint KeyId => BinaryPrimitives.ReadUInt32BigEndian(Hash256.Sha256([.. Encoding.UTF8.GetBytes(Name), 0x0a, (byte)Type, .. PublicKey.Span]).Bytes);

    /// <exception cref="FormatException">Not a vkey of a type that this project reads, or its key id is another's.</exception>
    public static VerifierKey Parse(string text)
    {
        var name = text.IndexOf('+');
        var id = name < 0 ? -1 : text.IndexOf('+', name + 1);
        if (id < 0) throw new FormatException($"verifier key '{Short(text)}': three parts joined by + are expected: name, key id, key");
        if (!IsName(text.AsSpan(0, name))) throw new FormatException($"verifier key '{Short(text)}': its name is empty, too long, or has spaces");
        var typed = new byte[1 + KeySize];
        if (!Convert.TryFromBase64String(text[(id + 1)..], typed, out var written) || written != typed.Length)
            throw new FormatException($"verifier key '{Short(text)}': the last part is not base64 of a type and {KeySize} bytes");
        if (!Enum.IsDefined((NoteKeyType)typed[0])) throw new FormatException($"verifier key '{Short(text)}': type {typed[0]} is not Ed25519 (1) or a cosignature (4)");
        var key = new VerifierKey(text[..name], (NoteKeyType)typed[0], typed.AsMemory(1));
        return key.ToString() == text ? key : throw new FormatException($"verifier key '{Short(text)}': its key id does not belong to name and key");
    }

    /// <summary>Not empty, without spaces, plus signs and control characters.</summary>
    public static bool IsName(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > MaxNameLength) return false;
        foreach (var letter in name)
            if (letter == '+' || char.IsWhiteSpace(letter) || char.IsControl(letter)) return false;
        return true;
    }

    public bool Equals(VerifierKey? other) => other is not null && Name == other.Name && Type == other.Type && PublicKey.Span.SequenceEqual(other.PublicKey.Span);

    public override int GetHashCode() => HashCode.Combine(Name, Type, KeyId);

    /// <summary>The vkey.</summary>
    public override string ToString() => $"{Name}+{KeyId:x8}+{Convert.ToBase64String([(byte)Type, .. PublicKey.Span])}";

    private static string Short(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
