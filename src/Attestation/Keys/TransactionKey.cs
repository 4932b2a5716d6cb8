using System.Security.Cryptography;
using System.Text;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation;

/// <summary>The key that pays for anchors; no enclave key. Safe for concurrent calls.</summary>
public sealed class TransactionKey : ITransactionSigner, IDisposable
{
    // A keystore is a few hundred bytes of JSON; nothing larger is read.
    private const int MaxKeystoreSize = 64 * 1024;

    private readonly NativeSignatures _signatures;
    private readonly SecretBytes _secret;

    private TransactionKey(AttestationShim shim, SecretBytes secret)
    {
        _signatures = new NativeSignatures(shim);
        _secret = secret;
        Address = EvmAddress.OfPublicKey(_signatures.PublicKeyOf(secret.Span));
    }

    /// <inheritdoc/>
    public EvmAddress Address { get; }

    /// <summary>From a protected file of 64 hexadecimal digits.</summary>
    /// <exception cref="AttestationException">The file is no key, or others have access to it.</exception>
    public static TransactionKey FromSecretFile(AttestationShim shim, string path) => Make(shim, SecretFile.ReadKey(shim, path));

    /// <summary>From a Web3 Secret Storage v3 file; its password is the first line of a protected file.</summary>
    /// <exception cref="AttestationException">Not a keystore this reads, or the wrong password.</exception>
    public static TransactionKey FromKeystore(AttestationShim shim, string path, string passwordPath)
    {
        var info = new FileInfo(path);
        if (!info.Exists || info.Length > MaxKeystoreSize) throw new AttestationException(AttestationFailure.OutOfRange, $"{path} is missing or longer than {MaxKeystoreSize} bytes");
        var password = SecretFile.Read(shim, passwordPath);
        try
        {
            return Make(shim, Web3Keystore.Decrypt(shim, File.ReadAllBytes(path), password.AsSpan().TrimEnd("\r\n"u8), path));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(password);
        }
    }

    /// <summary>From digits in plain text, for example a development node's well-known account. Never for a chain where coins have value.</summary>
    /// <exception cref="AttestationException">Not 64 hexadecimal digits of a key.</exception>
    public static TransactionKey ForDevelopmentChain(AttestationShim shim, string hexadecimal)
    {
        var text = Encoding.UTF8.GetBytes(hexadecimal);
        return Make(shim, SecretFile.DecodeKey(text) ?? throw new AttestationException(AttestationFailure.BadKey, "a development key is 64 hexadecimal digits"));
    }

    /// <inheritdoc/>
    public byte[] SignDigest(in Hash256 digest) => _signatures.Sign(_secret.Span, digest);

    public void Dispose() => _secret.Dispose();

    public override string ToString() => $"transaction key of {Address}";

    internal static bool IsKey(AttestationShim shim, byte[] secret)
    {
        try
        {
            new NativeSignatures(shim).PublicKeyOf(secret);
            return true;
        }
        catch (AttestationException)
        {
            return false;
        }
    }

    private static TransactionKey Make(AttestationShim shim, SecretBytes secret)
    {
        try
        {
            return new TransactionKey(shim, secret);
        }
        catch
        {
            secret.Dispose();
            throw;
        }
    }
}
