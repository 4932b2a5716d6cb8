using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Hosting.Trust;

namespace OpenGradient.Engine.Hosting.Tests;

public sealed class WitnessConfigurationTests
{
    private const string Witness = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";
    private const string Log = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

    [Fact]
    public void Load_Witnesses_AreRead()
    {
        var configuration = ConfigurationLoader.Load(null, new Dictionary<string, string>(), [$$"""log.witnesses=[{"key":"{{Witness}}","url":"https://remora.n621.de"}]"""]);
        Assert.Equal(Witness, Assert.Single(configuration.Log.Witnesses).Key);
        Assert.Empty(ConfigurationLoader.Load(null, new Dictionary<string, string>(), []).Log.Witnesses);
    }

    [Theory]
    [InlineData(Log, "http://w", "log.witnesses[0].key: not a witness's verifier key")]
    [InlineData("rubbish", "http://w", "log.witnesses[0].key: verifier key 'rubbish'")]
    [InlineData(Witness, "ftp://w", "log.witnesses[0].url: 'ftp://w'")]
    public void Load_WitnessThatCannotBeUsed_IsNamed(string key, string url, string error)
    {
        var refused = Assert.Throws<ConfigurationException>(() => ConfigurationLoader.Load(null, new Dictionary<string, string>(), [$$"""log.witnesses=[{"key":"{{key}}","url":"{{url}}"}]"""]));
        Assert.Contains(refused.Errors, each => each.StartsWith(error, StringComparison.Ordinal));
    }

    [Fact]
    public void Load_WitnessTwice_IsNamed() =>
        Assert.Contains(
            "listed already",
            Assert.Throws<ConfigurationException>(() => ConfigurationLoader.Load(null, new Dictionary<string, string>(), [$$"""log.witnesses=[{"key":"{{Witness}}","url":"http://w"},{"key":"{{Witness}}","url":"http://w"}]"""])).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData(new[] { Witness }, 1, null)]
    [InlineData(null, null, null)]
    [InlineData(new[] { Witness }, null, "witnessQuorum does not say")]
    [InlineData(new[] { Witness }, 0, "not between 1 and the 1")]
    [InlineData(new[] { Witness }, 2, "not between 1 and the 1")]
    [InlineData(null, 1, "not between 1 and the 0")]
    [InlineData(new[] { Witness, Witness }, 1, "listed twice")]
    [InlineData(new[] { Log }, 1, "not a witness's")]
    [InlineData(new[] { "rubbish" }, 1, "witnesses: verifier key")]
    public void ToPolicy_Witnesses_AreReadOrNamed(string[]? witnesses, int? quorum, string? wrong)
    {
        var file = new TrustFile
        {
            Version = 1, Logs = [], Chain = new TrustedChain { Id = 1, Contract = "0x00112233445566778899aabbccddeeff00112233" },
            Evidence = new TrustedEvidence { Accept = ["software"], AnyBuild = true }, Witnesses = witnesses, WitnessQuorum = quorum,
        };
        if (wrong is null) Assert.Equal((witnesses?.Length ?? 0, quorum ?? 0), (file.ToPolicy().Witnesses.Count, file.ToPolicy().WitnessQuorum));
        else Assert.Contains(wrong, Assert.Throws<FormatException>(() => file.ToPolicy()).Message, StringComparison.Ordinal);
    }
}
