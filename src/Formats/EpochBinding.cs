namespace OpenGradient.Engine.Formats;

/// <summary>A key that the epoch's evidence binds.</summary>
/// <param name="Kind">1: secp256k1, signs statements and checkpoints. 2: RSA-2048, for clients that check RSA-PSS. The list is open: a kind that a reader does not know is bound like the others, and says nothing to it.</param>
/// <param name="Spki">SubjectPublicKeyInfo, DER.</param>
public sealed record BoundKey(ushort Kind, ReadOnlyMemory<byte> Spki)
{
    public const ushort Secp256k1 = 1;
    public const ushort Rsa2048 = 2;
}

/// <summary>Everything an epoch's evidence binds (docs/formats.md, "Epoch binding and evidence").</summary>
public sealed record EpochBinding(
    IReadOnlyList<BoundKey> Keys, Hash256 BuildDigest, IReadOnlyList<(string Name, Hash256 Digest)> Libraries,
    Hash256 LogId, ulong ChainId, EvmAddress Contract, ReadOnlyMemory<byte> Nonce)
{
    public const int MaxSize = 8192;
    public const int MaxNonceSize = 64;

    // AlgorithmIdentifier of id-ecPublicKey on secp256k1 and the BIT STRING head of an uncompressed point (RFC 5480).
    private static ReadOnlySpan<byte> Secp256k1SpkiPrefix =>
        [0x30, 0x56, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a, 0x03, 0x42, 0x00];

    // AlgorithmIdentifier of rsaEncryption, the BIT STRING and SEQUENCE heads, and the INTEGER head of a modulus of 2048 bits (RFC 8017, A.1.1).
    private static ReadOnlySpan<byte> RsaSpkiPrefix =>
        [0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00];

    private static ReadOnlySpan<byte> RsaExponent => [0x02, 0x03, 0x01, 0x00, 0x01];

    /// <summary>The signing key, 65 bytes uncompressed, or empty when the binding names none or more than one.</summary>
    public ReadOnlyMemory<byte> SigningKey
    {
        get
        {
            var signing = Keys.Where(key => key.Kind == BoundKey.Secp256k1).ToArray();
            if (signing.Length != 1) return default;
            var spki = signing[0].Spki;
            return spki.Length == Secp256k1SpkiPrefix.Length + 65 && spki.Span.StartsWith(Secp256k1SpkiPrefix) && spki.Span[Secp256k1SpkiPrefix.Length] == 4
                ? spki[Secp256k1SpkiPrefix.Length..]
                : default;
        }
    }

    /// <summary>The SPKI of the RSA key, or empty when the binding names none, more than one, or one that is not 2048 bits with exponent 65,537 in the one DER form.</summary>
    public ReadOnlyMemory<byte> RsaKey
    {
        get
        {
            var found = Keys.Where(key => key.Kind == BoundKey.Rsa2048).ToArray();
            return found.Length == 1 && IsRsa2048(found[0].Spki.Span) ? found[0].Spki : default;
        }
    }

    /// <summary>The SPKI of an uncompressed secp256k1 point of 65 bytes.</summary>
    public static byte[] Secp256k1Spki(ReadOnlySpan<byte> uncompressed) => [.. Secp256k1SpkiPrefix, .. uncompressed];

    public byte[] Encode()
    {
        if (Nonce.Length > MaxNonceSize) throw new InvalidOperationException($"a nonce is at most {MaxNonceSize} bytes, not {Nonce.Length}");
        var writer = new ByteWriter().Tag("OGE binding v1"u8).U16(Keys.Count);
        foreach (var key in Keys) writer.U16(key.Kind).U16(key.Spki.Length).Bytes(key.Spki.Span);
        writer.Hash(BuildDigest).U16(Libraries.Count);
        foreach (var (name, digest) in Libraries)
        {
            var utf8 = Names.ToUtf8(name);
            writer.U16(utf8.Length).Bytes(utf8).Hash(digest);
        }

        return writer.Hash(LogId).U64(ChainId).Address(Contract).U16(Nonce.Length).Bytes(Nonce.Span).ToArray();
    }

    /// <exception cref="FormatException">Not a binding.</exception>
    public static EpochBinding Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaxSize) throw new FormatException($"binding: more than {MaxSize} bytes");
        var reader = new ByteReader(bytes, "binding");
        reader.Tag("OGE binding v1"u8);
        var keys = new List<BoundKey>();
        for (var left = reader.U16(); left > 0; left--) keys.Add(new BoundKey(reader.U16(), reader.Take(reader.U16()).ToArray()));
        var build = reader.Hash();
        var libraries = new List<(string, Hash256)>();
        for (var left = reader.U16(); left > 0; left--) libraries.Add((ReadName(ref reader), reader.Hash()));
        var binding = new EpochBinding(keys, build, libraries, reader.Hash(), reader.U64(), reader.Address(), ReadNonce(ref reader));
        reader.End();
        return binding;
    }

    // All that varies is the modulus: its top bit is what makes it 2048 bits, and an even one is no product of two odd primes.
    private static bool IsRsa2048(ReadOnlySpan<byte> spki)
    {
        const int modulus = 256;
        return spki.Length == RsaSpkiPrefix.Length + modulus + RsaExponent.Length && spki.StartsWith(RsaSpkiPrefix) && spki.EndsWith(RsaExponent)
            && (spki[RsaSpkiPrefix.Length] & 0x80) != 0 && (spki[RsaSpkiPrefix.Length + modulus - 1] & 1) != 0;
    }

    private static string ReadName(ref ByteReader reader)
    {
        var utf8 = reader.Take(reader.U16());
        return System.Text.Unicode.Utf8.IsValid(utf8) ? System.Text.Encoding.UTF8.GetString(utf8) : throw new FormatException("binding: a library's name is not UTF-8");
    }

    private static byte[] ReadNonce(ref ByteReader reader)
    {
        var length = reader.U16();
        return length <= MaxNonceSize ? reader.Take(length).ToArray() : throw new FormatException($"binding: nonce longer than {MaxNonceSize} bytes");
    }
}
