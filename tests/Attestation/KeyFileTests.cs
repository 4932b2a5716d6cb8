using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Tests;

public sealed class KeyFileTests : IDisposable
{
    private const string Secret = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
    private const string Account = "0x008aeeda4d805471df9b2a5b0f38a0c3bcba786b";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static string Keystore(string kdf, string parameters, string iv, string ciphertext, string mac) =>
        $$"""{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"{{iv}}"},"ciphertext":"{{ciphertext}}","kdf":"{{kdf}}","kdfparams":{{parameters}},"mac":"{{mac}}"},"id":"x","version":3}""";

    // The PBKDF2 vector of the Web3 Secret Storage definition.
    private static readonly string Pbkdf2 = Keystore(
        "pbkdf2", """{"c":262144,"dklen":32,"prf":"hmac-sha256","salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"}""",
        "6087dab2f9fdbbfaddc31a909735c1e6", "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46", "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2");

    // Made with Python's hashlib.scrypt and OpenSSL's aes-128-ctr; the iv is all ones, so that the counter wraps.
    private static readonly string Scrypt = Keystore(
        "scrypt", """{"dklen":32,"n":4096,"r":8,"p":1,"salt":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"}""",
        "ffffffffffffffffffffffffffffffff", "0824e86c8779f93079a9d692b52cf389dde7e83fef7d7e52988bc8583c735e37", "c571bea80de1a74049ef42dc23fc9ba27faf9bb0ac72544bbe4f441ed16bea70");

    [Fact]
    public void LogKey_FirstUse_CreatesAPrivateFileThatKeepsTheIdentity()
    {
        var path = _folder.File("log.key");
        byte[] signature;
        Hash256 id;
        using (var key = LogKey.Open(Shim.Loaded, path))
        {
            id = key.LogId;
            signature = key.SignNote("text"u8);
            Assert.True(Shim.Signatures.VerifyEd25519(key.PublicKey, "text"u8, signature));
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        using var again = LogKey.Open(Shim.Loaded, path);
        Assert.Equal(id, again.LogId);
        Assert.Equal(signature, again.SignNote("text"u8));
        Assert.Equal(SignedNote.LogIdOf(again.PublicKey), again.LogId);
        Assert.Equal([path], Directory.GetFiles(Path.GetDirectoryName(path)!));
    }

    [Fact]
    public async Task LogKey_OpenedByManyAtOnce_HasOneIdentity()
    {
        var path = _folder.File("log.key");
        var ids = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            using var key = LogKey.Open(Shim.Loaded, path);
            return key.LogId;
        })));
        Assert.Single(ids.Distinct());
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    public void LogKey_FileThatOthersCanTouch_IsRefusedAndNotShown(UnixFileMode extra)
    {
        var path = _folder.Write("log.key", Secret + "\n", UnixFileMode.UserRead | UnixFileMode.UserWrite | extra);
        var failure = Assert.Throws<AttestationException>(() => LogKey.Open(Shim.Loaded, path));
        Assert.Equal(AttestationFailure.Refused, failure.Status);
        Assert.Contains(path, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret[..8], failure.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("zz")]
    [InlineData("7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9")]
    [InlineData("7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d00")]
    [InlineData("7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9g")]
    public void KeyFile_ThatIsNoKey_IsRefusedAndNotShown(string content)
    {
        var path = _folder.Write("key", content);
        var failure = Assert.Throws<AttestationException>(() => TransactionKey.FromSecretFile(Shim.Loaded, path));
        Assert.Equal(AttestationFailure.BadKey, failure.Status);
        if (content.Length > 2) Assert.DoesNotContain(content[..8], failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void SoftwareRoot_ZeroKey_IsRefused()
    {
        var path = _folder.Write("root.key", new string('0', 64));
        Assert.Equal(AttestationFailure.BadKey, Assert.Throws<AttestationException>(() => SoftwareRoot.Open(Shim.Loaded, path)).Status);
    }

    [Fact]
    public void SoftwareRoot_Reopened_IsTheSameCompressedKey()
    {
        using var first = SoftwareRoot.Open(Shim.Loaded, _folder.File("root.key"));
        using var second = SoftwareRoot.Open(Shim.Loaded, _folder.File("root.key"));
        Assert.Equal(first.PublicKey.ToArray(), second.PublicKey.ToArray());
        Assert.Equal(33, first.PublicKey.Length);
    }

    [Fact]
    public void TransactionKey_FromSecretFile_SignsForItsAccount()
    {
        using var key = TransactionKey.FromSecretFile(Shim.Loaded, _folder.Write("tx.key", "0x" + Secret + "\n"));
        var digest = Hash256.Sha256("a transaction"u8);
        Assert.Equal(Account, key.Address.ToString());
        Assert.Equal(key.Address, Shim.Signatures.RecoverAddress(digest, key.SignDigest(digest)));
        Assert.Equal(key.SignDigest(digest), key.SignDigest(digest));
        Assert.DoesNotContain(Secret, key.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void TransactionKey_DevelopmentAccountOfAnvil_HasItsKnownAddress()
    {
        using var key = TransactionKey.ForDevelopmentChain(Shim.Loaded, "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
        Assert.Equal("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266", key.Address.ToString());
        Assert.Throws<AttestationException>(() => TransactionKey.ForDevelopmentChain(Shim.Loaded, "0x12"));
    }

    [Theory]
    [InlineData("pbkdf2")]
    [InlineData("scrypt")]
    public void TransactionKey_FromKeystore_IsTheAccountInside(string kdf)
    {
        var keystore = _folder.Write("keystore.json", kdf == "pbkdf2" ? Pbkdf2 : Scrypt);
        using var key = TransactionKey.FromKeystore(Shim.Loaded, keystore, _folder.Write("password", "testpassword\n"));
        Assert.Equal(Account, key.Address.ToString());
    }

    [Fact]
    public void TransactionKey_WrongPassword_IsRefusedAndNotShown()
    {
        var keystore = _folder.Write("keystore.json", Scrypt);
        var failure = Assert.Throws<AttestationException>(() => TransactionKey.FromKeystore(Shim.Loaded, keystore, _folder.Write("password", "hunter2hunter2")));
        Assert.Equal(AttestationFailure.BadKey, failure.Status);
        Assert.DoesNotContain("hunter2", failure.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("""{"version":1}""")]
    [InlineData("""{"version":3,"crypto":{"cipher":"aes-256-gcm","ciphertext":"00"}}""")]
    [InlineData("""{"version":3,"crypto":{"cipher":"aes-128-ctr","ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"scrypt","kdfparams":{"dklen":32,"n":1073741824,"r":8,"p":1,"salt":"00"}}}""")]
    [InlineData("""{"version":3,"crypto":{"cipher":"aes-128-ctr","ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"argon2","kdfparams":{"dklen":32,"salt":"00"}}}""")]
    public void TransactionKey_BrokenKeystore_NamesTheFile(string json)
    {
        var keystore = _folder.Write("keystore.json", json);
        var failure = Assert.Throws<AttestationException>(() => TransactionKey.FromKeystore(Shim.Loaded, keystore, _folder.Write("password", "x")));
        Assert.Contains(keystore, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_AfterDispose_Throw()
    {
        var log = LogKey.Open(Shim.Loaded, _folder.File("log.key"));
        var transaction = TransactionKey.ForDevelopmentChain(Shim.Loaded, Secret);
        log.Dispose();
        transaction.Dispose();
        Assert.Throws<ObjectDisposedException>(() => log.SignNote([]));
        Assert.Throws<ObjectDisposedException>(() => transaction.SignDigest(default));
    }
}
