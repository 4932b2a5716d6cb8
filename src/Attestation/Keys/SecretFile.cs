using System.Security.Cryptography;
using System.Text;
using OpenGradient.Engine.Attestation.Interop;

namespace OpenGradient.Engine.Attestation;

/// <summary>
/// Files that hold secrets. Read only if they are regular files of this user or root that neither group nor others have
/// access to; created with mode 0600, synced, and whole or not at all. A key file is 64 hexadecimal digits and a newline.
/// </summary>
public static unsafe class SecretFile
{
    public const int MaxSize = 4096;

    private const int NoSuchFile = 2; // ENOENT
    private const int FileExists = 17; // EEXIST

    /// <summary>The file's bytes; the caller zeroes them after use.</summary>
    /// <exception cref="AttestationException">Missing, too long, not regular, or accessible to others.</exception>
    public static byte[] Read(AttestationShim shim, string path)
    {
        Span<byte> buffer = stackalloc byte[MaxSize];
        nuint written;
        NativeError error;
        int status;
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'), bytes = buffer)
            status = shim.Functions.SecretFileRead(name, bytes, (nuint)buffer.Length, &written, &error);
        ShimStatus.Check(status, error);
        var content = buffer[..(int)written].ToArray();
        CryptographicOperations.ZeroMemory(buffer);
        return content;
    }

    /// <exception cref="AttestationException">The file exists (errno EEXIST) or could not be made durable.</exception>
    public static void Create(AttestationShim shim, string path, ReadOnlySpan<byte> content)
    {
        NativeError error;
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'), bytes = content)
            ShimStatus.Check(shim.Functions.SecretFileCreate(name, bytes, (nuint)content.Length, &error), error);
    }

    internal static SecretBytes ReadKey(AttestationShim shim, string path)
    {
        var content = Read(shim, path);
        try
        {
            return DecodeKey(content) ?? throw new AttestationException(AttestationFailure.BadKey, $"{path} is not a key file: 64 hexadecimal digits and a newline");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
        }
    }

    /// <summary>Reads the key file, or creates it with fresh random bytes that <paramref name="accept"/> agrees to.</summary>
    internal static SecretBytes ReadOrCreateKey(AttestationShim shim, string path, Func<byte[], bool> accept)
    {
        try
        {
            return ReadKey(shim, path);
        }
        catch (AttestationException missing) when (missing.OsError == NoSuchFile)
        {
            try
            {
                CreateKey(shim, path, accept);
            }
            catch (AttestationException taken) when (taken.OsError == FileExists)
            {
                // another process was faster; its key is the key
            }

            return ReadKey(shim, path);
        }
    }

    /// <summary>Null unless the text is 64 hexadecimal digits, optionally after 0x and before white space at the end.</summary>
    internal static SecretBytes? DecodeKey(ReadOnlySpan<byte> text)
    {
        text = text.TrimEnd(" \t\r\n"u8);
        if (text.StartsWith("0x"u8)) text = text[2..];
        Span<byte> key = stackalloc byte[NativeSignatures.SecretSize];
        try
        {
            if (text.Length != 2 * key.Length) return null;
            var done = Convert.FromHexString(text, key, out _, out var written) == System.Buffers.OperationStatus.Done;
            return done && written == key.Length ? new SecretBytes(key) : null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static void CreateKey(AttestationShim shim, string path, Func<byte[], bool> accept)
    {
        var key = GC.AllocateArray<byte>(NativeSignatures.SecretSize, pinned: true);
        Span<byte> text = stackalloc byte[(2 * NativeSignatures.SecretSize) + 1];
        try
        {
            do RandomNumberGenerator.Fill(key);
            while (!accept(key));
            Convert.TryToHexStringLower(key, text, out _);
            text[^1] = (byte)'\n';
            Create(shim, path, text);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
            CryptographicOperations.ZeroMemory(text);
        }
    }
}
