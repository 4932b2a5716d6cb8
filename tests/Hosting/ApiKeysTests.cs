using System.Security.Cryptography;
using System.Text;
using OpenGradient.Engine.Host.Server;

namespace OpenGradient.Engine.Hosting.Tests;

public sealed class ApiKeysTests : IDisposable
{
    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("og-keys-").FullName, "keys");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);

    [Fact]
    public void Find_KeyOrItsDigestInTheFile_IsFound()
    {
        Write($"# people\nalpha\nsha256:{Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes("beta")))}\n");

        var keys = ApiKeys.Read(_file, 0, TimeProvider.System);

        Assert.Equal(0, keys.Find("alpha"));
        Assert.Equal(1, keys.Find("beta"));
        Assert.Null(keys.Find("# people"));
        Assert.Null(keys.Find("gamma"));
        Assert.Null(keys.Find(null));
    }

    [Fact]
    public void Read_FileThatOthersCanRead_IsRefusedWithoutItsContent()
    {
        Write("very-secret");
        File.SetUnixFileMode(_file, UnixFileMode.UserRead | UnixFileMode.OtherRead);

        var refused = Assert.Throws<IOException>(() => ApiKeys.Read(_file, 0, TimeProvider.System));

        Assert.DoesNotContain("very-secret", refused.Message, StringComparison.Ordinal);
        Assert.Contains("600", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing\n")]
    [InlineData("sha256:1234\n")]
    public void Read_FileWithoutUsableKeys_IsRefused(string content)
    {
        Write(content);

        Assert.Throws<IOException>(() => ApiKeys.Read(_file, 0, TimeProvider.System));
    }

    [Fact]
    public void Count_OverTheLimit_SaysHowLongToWaitAndRecovers()
    {
        Write("alpha");
        var clock = new ManualClock();
        var keys = ApiKeys.Read(_file, 2, clock);

        Assert.Null(keys.Count(0));
        Assert.Null(keys.Count(0));
        Assert.Equal(TimeSpan.FromMinutes(1), keys.Count(0));
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(keys.Count(0));
    }

    private void Write(string content)
    {
        File.WriteAllText(_file, content);
        File.SetUnixFileMode(_file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
