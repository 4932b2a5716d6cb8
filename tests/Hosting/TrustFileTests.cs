using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Trust;

namespace OpenGradient.Engine.Hosting.Tests;

public sealed class TrustFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("og-trust-").FullName;

    private static readonly string Good = $$"""
        {"version":1,"logs":["{{new string('1', 64)}}"],
         "chain":{"id":7,"contract":"0x{{new string('2', 40)}}","finalityDepth":3},
         "evidence":{"accept":["software"],"softwareRoots":["{{new string('3', 66)}}"],"anyBuild":true},
         "requireStage":"anchored"}
        """;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Read_GoodFile_GivesThePolicy()
    {
        var policy = TrustFile.Read(Write(Good)).ToPolicy();

        Assert.Equal(7u, policy.ChainId);
        Assert.Equal(3u, policy.FinalityDepth);
        Assert.Equal(ReceiptStage.Anchored, policy.RequiredStage);
        Assert.Contains(EvidenceKind.Software, policy.Evidence.AcceptedKinds);
        Assert.Single(policy.Logs);
    }

    [Fact]
    public void Encode_ThenRead_GivesTheSameFile()
    {
        var first = TrustFile.Read(Write(Good)).Encode();

        Assert.Equal(first, TrustFile.Read(Write(System.Text.Encoding.UTF8.GetString(first))).Encode());
    }

    [Theory]
    [InlineData("\"version\":1", "\"version\":2", "version 2")]
    [InlineData("\"logs\":[\"1", "\"logs\":[\"x1", "logs")]
    [InlineData("0x2", "0xz", "chain.contract")]
    [InlineData("\"software\"]", "\"hearsay\"]", "'hearsay' is unknown")]
    [InlineData("\"softwareRoots\":[\"3", "\"softwareRoots\":[\"", "softwareRoots")]
    [InlineData("\"anyBuild\":true", "\"anyBuild\":false", "names no build")]
    [InlineData("\"anchored\"", "\"durable\"", "requireStage")]
    [InlineData("\"version\":1,", "\"version\":1,\"surprise\":1,", "surprise")]
    [InlineData("\"chain\"", "\"chains\"", "trust file")]
    [InlineData("{\"version\"", "{{\"version\"", "trust file")]
    [InlineData("\"version\":1,", "\"version\":1,\"models\":[],", "models")]
    [InlineData("[\"software\"]", "null", "accept")]
    public void Read_BadFile_NamesWhatWasWrong(string part, string replacement, string expected)
    {
        var refused = Assert.Throws<FormatException>(() => TrustFile.Read(Write(Good.Replace(part, replacement, StringComparison.Ordinal))));

        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"policy.json\"")]
    [InlineData("{\"version\":1,\"tpm\":{\"requireEndorsement\":false}}")]
    public void Read_PolicyBesideItOrInline_GivesItsBytes(string policy)
    {
        File.WriteAllText(Path.Combine(_folder, "policy.json"), "{\"version\":1}");
        Directory.CreateDirectory(Path.Combine(_folder, "vendor"));
        File.WriteAllText(Path.Combine(_folder, "vendor", "ark.der"), "ark");
        var trust = TrustFile.Read(Write(Good.Replace("\"anyBuild\":true", $"\"anyBuild\":true,\"policy\":{policy},\"collateral\":\"vendor\"", StringComparison.Ordinal)));

        var evidence = trust.ToPolicy().Evidence;
        Assert.Equal(policy.StartsWith('{') ? policy : "{\"version\":1}", System.Text.Encoding.UTF8.GetString(evidence.Policy.Span));
        Assert.Equal("ark"u8.ToArray(), evidence.Collateral["ark.der"].ToArray());
        Assert.False(TrustFile.Read(Write(System.Text.Encoding.UTF8.GetString(trust.Encode()))).ToPolicy().Evidence.Policy.IsEmpty);
    }

    [Theory]
    [InlineData("\"policy\":\"absent.json\"", "absent.json")]
    [InlineData("\"policy\":\"empty.json\"", "empty")]
    [InlineData("\"policy\":7", "evidence.policy")]
    [InlineData("\"policy\":[]", "evidence.policy")]
    [InlineData("\"policy\":{\"version\":2}", "version")]
    [InlineData("\"policy\":{\"version\":1,\"tpm\":{},\"tpm\":{}}", "twice")]
    [InlineData("\"policy\":{\"version\":1,\"tmp\":{}}", "tmp")]
    [InlineData("\"collateral\":\"nowhere\"", "nowhere")]
    public void Read_PolicyThatIsNone_NamesWhatWasWrong(string part, string expected)
    {
        File.WriteAllText(Path.Combine(_folder, "empty.json"), "");
        var refused = Assert.Throws<FormatException>(() => TrustFile.Read(Write(Good.Replace("\"anyBuild\":true", $"\"anyBuild\":true,{part}", StringComparison.Ordinal))));
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_MissingFile_NamesIt() =>
        Assert.Contains("none.json", Assert.Throws<FormatException>(() => TrustFile.Read(Path.Combine(_folder, "none.json"))).Message, StringComparison.Ordinal);

    private string Write(string json)
    {
        var file = Path.Combine(_folder, "trust.json");
        File.WriteAllText(file, json);
        return file;
    }
}
