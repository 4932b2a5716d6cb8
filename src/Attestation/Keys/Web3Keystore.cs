using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using OpenGradient.Engine.Attestation.Interop;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation;

/// <summary>Web3 Secret Storage version 3: AES-128-CTR under a key from PBKDF2-HMAC-SHA256 or scrypt, with a Keccak-256 MAC.</summary>
internal static unsafe class Web3Keystore
{
    // OWASP asks for 600,000 today; a file cannot make the host work for minutes.
    private const int MaxIterations = 10_000_000;

    public static SecretBytes Decrypt(AttestationShim shim, byte[] json, ReadOnlySpan<byte> password, string path)
    {
        Span<byte> derived = stackalloc byte[32];
        Span<byte> secret = stackalloc byte[32];
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            if (root.GetProperty("version").GetInt32() != 3) throw Malformed(path, "its version is not 3");
            var crypto = root.TryGetProperty("crypto", out var lower) ? lower : root.GetProperty("Crypto");
            var ciphertext = Hex(crypto, "ciphertext");
            if (crypto.GetProperty("cipher").GetString() != "aes-128-ctr" || ciphertext.Length != 32) throw Malformed(path, "its cipher is not aes-128-ctr over 32 bytes");

            Derive(shim, crypto, password, derived, path);
            byte[] authenticated = [.. derived[16..], .. ciphertext];
            var mac = Keccak256.Hash(authenticated);
            CryptographicOperations.ZeroMemory(authenticated);
            if (!CryptographicOperations.FixedTimeEquals(mac.Bytes, Hex(crypto, "mac"))) throw new AttestationException(AttestationFailure.BadKey, $"{path}: wrong password, or a damaged file");
            AesCtr(derived[..16], Hex(crypto.GetProperty("cipherparams"), "iv"), ciphertext, secret);
            return new SecretBytes(secret);
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or FormatException or InvalidOperationException)
        {
            throw Malformed(path, failure.Message);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(derived);
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    private static void Derive(AttestationShim shim, JsonElement crypto, ReadOnlySpan<byte> password, Span<byte> derived, string path)
    {
        var parameters = crypto.GetProperty("kdfparams");
        if (parameters.GetProperty("dklen").GetInt32() != derived.Length) throw Malformed(path, "its derived key is not 32 bytes");
        var salt = Hex(parameters, "salt");
        switch (crypto.GetProperty("kdf").GetString())
        {
            case "pbkdf2":
                var iterations = parameters.GetProperty("c").GetInt32();
                if (iterations is < 1 or > MaxIterations || parameters.GetProperty("prf").GetString() != "hmac-sha256") throw Malformed(path, "its PBKDF2 parameters are not accepted");
                Rfc2898DeriveBytes.Pbkdf2(password, salt, derived, iterations, HashAlgorithmName.SHA256);
                break;
            case "scrypt":
                fixed (byte* secret = password, salted = salt, key = derived)
                {
                    var status = shim.Functions.Scrypt(
                        secret, (nuint)password.Length, salted, (nuint)salt.Length, parameters.GetProperty("n").GetUInt64(),
                        parameters.GetProperty("r").GetUInt64(), parameters.GetProperty("p").GetUInt64(), key, (nuint)derived.Length);
                    ShimStatus.Check(status, $"{path}: its scrypt parameters are not accepted");
                }

                break;
            default: throw Malformed(path, "its key derivation is neither pbkdf2 nor scrypt");
        }
    }

    // NIST SP 800-38A §6.5 with the whole block as counter; .NET has no such mode.
    private static void AesCtr(ReadOnlySpan<byte> key, byte[] iv, byte[] input, Span<byte> output)
    {
        if (iv.Length != 16) throw new FormatException("the iv is not 16 bytes");
        using var aes = Aes.Create();
        aes.SetKey(key);
        Span<byte> counter = stackalloc byte[16];
        Span<byte> pad = stackalloc byte[16];
        iv.CopyTo(counter);
        for (var at = 0; at < input.Length; at += 16)
        {
            aes.EncryptEcb(counter, pad, PaddingMode.None);
            for (var i = 0; i < 16; i++) output[at + i] = (byte)(input[at + i] ^ pad[i]);
            BinaryPrimitives.WriteUInt128BigEndian(counter, BinaryPrimitives.ReadUInt128BigEndian(counter) + 1);
        }

        CryptographicOperations.ZeroMemory(pad);
    }

    private static byte[] Hex(JsonElement parent, string name)
    {
        var text = parent.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null");
        return Convert.FromHexString(text.StartsWith("0x", StringComparison.Ordinal) ? text[2..] : text);
    }

    private static AttestationException Malformed(string path, string why) => new(AttestationFailure.OutOfRange, $"{path} is not a keystore this host reads: {why}");
}
