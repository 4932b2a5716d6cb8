using System.Collections;
using OpenGradient.Engine.Hosting.Configuration;

namespace OpenGradient.Engine.Hosting.Tests;

public sealed class ConfigurationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("og-config-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Load_NoFile_GivesDefaultsOnLoopback()
    {
        var configuration = ConfigurationLoader.Load(null, new Hashtable(), []);

        Assert.Equal("http://127.0.0.1:8080", configuration.Http.Listen);
        Assert.Null(configuration.Chain);
    }

    [Fact]
    public void Load_FileEnvironmentFlags_LaterWins()
    {
        var file = Write("""{"settlement":{"maxAgeMs":1,"maxStatements":1,"tickMs":10}}""");
        var environment = new Hashtable { ["OG_CONFIG__settlement__maxAgeMs"] = "2", ["OG_CONFIG__settlement__maxStatements"] = "2" };

        var settlement = ConfigurationLoader.Load(file, environment, ["settlement.maxStatements=3"]).Settlement;

        Assert.Equal((2, 3, 10), (settlement.MaxAgeMs, settlement.MaxStatements, settlement.TickMs));
    }

    [Fact]
    public void Load_TrustGapOfAnOlderFile_KeepsTheDefaultsOfWhatIsNew()
    {
        var gap = ConfigurationLoader.Load(Write("""{"trustGap":{"maxOpenReceipts":5,"objectiveMs":2000}}"""), new Hashtable(), []).TrustGap;

        Assert.Equal(new TrustGapConfiguration { MaxOpenReceipts = 5, ObjectiveMs = 2000 }, gap);
        Assert.Equal(("refuse", "final", 0.99), (gap.OnExceeded, gap.ObjectiveStage, gap.ObjectiveShare));
    }

    [Fact]
    public void Load_RelativePaths_AreRelativeToTheFile()
    {
        var configuration = ConfigurationLoader.Load(Write("""{"data":"here","models":[{"path":"m"}]}"""), new Hashtable(), []);

        Assert.Equal(Path.Combine(_folder, "here"), configuration.Data);
        Assert.Equal(Path.Combine(_folder, "m"), configuration.Models[0].Path);
    }

    [Fact]
    public void Load_QueueOfAModel_KeepsTheDefaultsOfWhatIsNotGiven()
    {
        var configuration = ConfigurationLoader.Load(Write("""{"models":[{"path":"m","queue":{"high":{"timeoutMs":50,"onTimeout":"downgrade"}}},{"path":"n"}]}"""), new Hashtable(), []);

        var queue = configuration.Models[0].Queue;
        Assert.Equal((0.5, null), (queue.CallerShare, queue.Normal));
        Assert.Equal(new QueuePolicyConfiguration { TimeoutMs = 50, OnTimeout = "downgrade" }, queue.High);
        Assert.Equal(new QueueConfiguration(), configuration.Models[1].Queue);
    }

    [Theory]
    [InlineData("{", "malformed JSON")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("""{"data":"a","data":"b"}""", "malformed JSON")]
    [InlineData("""{"models":[{"path":"a","path":"b"}]}""", "malformed JSON")]
    [InlineData("""{"surprise":1}""", "unknown key")]
    [InlineData("""{"http":{"listn":"x"}}""", "unknown key")]
    [InlineData("""{"version":2}""", "version 2; this build reads up to 1")]
    [InlineData("""{"settlement":{"maxAgeMs":"soon"}}""", "settlement.maxAgeMs")]
    [InlineData("""{"settlement":{"maxAgeMs":0}}""", "settlement.maxAgeMs")]
    [InlineData("""{"http":{"listen":"nonsense"}}""", "http.listen")]
    [InlineData("""{"http":{"listen":"http://0.0.0.0:80"}}""", "needs API keys")]
    [InlineData("""{"http":{"listen":"http://0.0.0.0:80","apiKeysFile":"k"}}""", "needs TLS")]
    [InlineData("""{"http":{"listen":"https://127.0.0.1:80"}}""", "https needs")]
    [InlineData("""{"http":{"tlsCertificateFile":"c"}}""", "both or neither")]
    [InlineData("""{"operatorListen":"http://10.0.0.1:81"}""", "loopback only")]
    [InlineData("""{"operatorListen":"https://127.0.0.1:81"}""", "as http")]
    [InlineData("""{"operatorListen":"http://127.0.0.1:8080"}""", "another port")]
    [InlineData("""{"http":{"listen":"http://example.org:80","allowInsecure":true}}""", "nor an IP address")]
    [InlineData("""{"chain":{"id":1,"contract":"0x0000000000000000000000000000000000000001","transactionKeyFile":"k","finalityDepth":0}}""", "chain.finalityDepth")]
    [InlineData("""{"chain":{"id":1,"contract":"0x0000000000000000000000000000000000000001","transactionKeyFile":"k","maxFeePerGasGwei":0.5}}""", "chain.maxFeePerGasGwei")]
    [InlineData("""{"chain":{"id":1,"contract":"0x0000000000000000000000000000000000000001","transactionKeyFile":"k","maxSpendPerDay":0}}""", "chain.maxSpendPerDay")]
    [InlineData("""{"chain":{"id":1,"contract":"0x0000000000000000000000000000000000000001","transactionKeyFile":"k","priorityFeeGwei":-1}}""", "chain.priorityFeeGwei")]
    [InlineData("""{"chain":{"id":1,"contract":"0x0000000000000000000000000000000000000001","transactionKeyFile":"k","finalityTag":"soon"}}""", "'soon' is neither finalized nor safe")]
    [InlineData("""{"chain":{"id":1,"contract":"0x0000000000000000000000000000000000000001","transactionKeyFile":"k","finalityTag":"safe","finalityDepth":3}}""", "chain.finalityTag")]
    [InlineData("""{"chain":{"id":1,"contract":"0x0000000000000000000000000000000000000001","remoteSigner":{"url":"http://example.org","publicKey":"0x00"}}}""", "over https")]
    [InlineData("""{"chain":{"id":1,"contract":"0x0000000000000000000000000000000000000001","remoteSigner":{"url":"http://127.0.0.1:9000","publicKey":"0x00"}}}""", "chain.remoteSigner.publicKey")]
    [InlineData("""{"chain":{"id":1,"contract":"0x0000000000000000000000000000000000000001","transactionKeyFile":"k","remoteSigner":{"url":"http://127.0.0.1:9000","publicKey":"0x00"}}}""", "not both")]
    [InlineData("""{"chain":{"id":1,"contract":"0x0000000000000000000000000000000000000001","remoteSigner":{"url":"nonsense","publicKey":"0x00"}}}""", "chain.remoteSigner.url")]
    [InlineData("""{"onnxRuntime":{"workers":65}}""", "onnxRuntime.workers")]
    [InlineData("""{"attestation":{"rotation":{"afterStatements":-1}}}""", "attestation.rotation.afterStatements")]
    [InlineData("""{"attestation":{"rotation":{"afterSeconds":59}}}""", "attestation.rotation.afterSeconds: 0 (never)")]
    [InlineData("""{"attestation":{"rotation":{"afterSeconds":60}}}""", "longer than attestation.rotation.overlapSeconds")]
    [InlineData("""{"attestation":{"rotation":{"overlapSeconds":0}}}""", "attestation.rotation.overlapSeconds")]
    [InlineData("""{"attestation":{"rotation":{"never":true}}}""", "unknown key")]
    [InlineData("""{"models":[{"path":"m","intraOpThreads":0}]}""", "models[0].intraOpThreads")]
    [InlineData("""{"models":[{"path":"m","workers":65}]}""", "models[0].workers")]
    [InlineData("""{"models":[{"path":"m","maxBytes":0}]}""", "models[0].maxBytes")]
    [InlineData("""{"models":[{"path":"m","determinism":"a"}]}""", "models[0].determinism")]
    [InlineData("""{"models":[{"path":"m","paddingMultiple":0}]}""", "models[0].paddingMultiple")]
    [InlineData("""{"models":[{"path":"m","minimumRows":0}]}""", "models[0].minimumRows")]
    [InlineData("""{"models":[{"path":"m","probeBudgetMs":-1}]}""", "models[0].probeBudgetMs")]
    [InlineData("""{"models":[{"path":"m","recheckOneIn":-1}]}""", "models[0].recheckOneIn")]
    [InlineData("""{"models":[{"path":"m","batchAcrossCallers":"never"}]}""", "models[0].batchAcrossCallers")]
    [InlineData("""{"models":[{"path":"m","terminationGraceMs":0}]}""", "models[0].terminationGraceMs")]
    [InlineData("""{"models":[{"path":"m","maxHungCalls":65}]}""", "models[0].maxHungCalls")]
    [InlineData("""{"models":[{"path":"m","runInline":"sometimes"}]}""", "models[0].runInline")]
    [InlineData("""{"models":[{"path":""}]}""", "models[0].path")]
    [InlineData("""{"models":[{"path":"m","maxBatch":0}]}""", "models[0].maxBatch")]
    [InlineData("""{"models":[{"path":"m","queue":{"callerShare":0}}]}""", "models[0].queue.callerShare")]
    [InlineData("""{"models":[{"path":"m","queue":{"low":{"timeoutMs":5,"onTimeout":"downgrade"}}}]}""", "models[0].queue.low.onTimeout")]
    [InlineData("""{"models":[{"path":"m","queue":{"high":{"onTimeout":"downgrade"}}}]}""", "models[0].queue.high.timeoutMs")]
    [InlineData("""{"models":[{"path":"m","queue":{"normal":{"onTimeout":"delay"}}}]}""", "'delay' is neither")]
    [InlineData("""{"models":[{"path":"m","queue":{"normal":{"timeoutMs":0}}}]}""", "models[0].queue.normal.timeoutMs")]
    [InlineData("""{"models":[{"path":"m","queue":{"normal":{"maxQueuedRequests":0}}}]}""", "models[0].queue.normal.maxQueuedRequests")]
    [InlineData("""{"models":[{"path":"m","queue":{"urgent":{}}}]}""", "unknown key")]
    [InlineData("""{"attestation":{"attester":"hearsay"}}""", "attestation.attester")]
    [InlineData("""{"onnxRuntime":{"provider":"tpu"}}""", "onnxRuntime.provider")]
    [InlineData("""{"chain":{"id":0,"contract":"0x0000000000000000000000000000000000000001","transactionKeyFile":"k"}}""", "chain.id")]
    [InlineData("""{"chain":{"id":1,"contract":"0x00","transactionKeyFile":"k"}}""", "chain.contract")]
    [InlineData("""{"chain":{"id":1,"contract":"0x0000000000000000000000000000000000000001"}}""", "chain.transactionKeyFile")]
    [InlineData("""{"trustGap":{"maxOpenAgeMs":1e300}}""", "trustGap.maxOpenAgeMs")]
    [InlineData("""{"trustGap":{"maxOpenReceipts":-1}}""", "trustGap.maxOpenReceipts")]
    [InlineData("""{"trustGap":{"onExceeded":"wait"}}""", "'wait' is neither refuse nor slowDown")]
    [InlineData("""{"trustGap":{"maxDelayMs":0}}""", "trustGap.maxDelayMs")]
    [InlineData("""{"trustGap":{"refuseAt":1}}""", "trustGap.refuseAt")]
    [InlineData("""{"trustGap":{"objectiveMs":0}}""", "trustGap.objectiveMs")]
    [InlineData("""{"trustGap":{"objectiveShare":1}}""", "trustGap.objectiveShare")]
    [InlineData("""{"trustGap":{"objectiveStage":"executed"}}""", "trustGap.objectiveStage")]
    [InlineData("""{"settlement":{"closing":"cheap"}}""", "settlement.closing")]
    [InlineData("""{"settlement":{"closing":"adaptive"},"trustGap":{"objectiveStage":"durable"}}""", "settlement.closing: adaptive needs trustGap.objectiveStage")]
    [InlineData("""{"settlement":{"cheapGasGwei":-1}}""", "settlement.cheapGasGwei")]
    [InlineData("""{"settlement":{"cheapGasShare":0}}""", "settlement.cheapGasShare")]
    [InlineData("""{"http":{"keepAnswers":"nowhere"}}""", "http.keepAnswers")]
    [InlineData("""{"http":{"listen":"http://10.0.0.1:8081","allowInsecure":true}}""", "operatorListen")]
    [InlineData("""{"http":{"listen":"http://example.com:8080","allowInsecure":true}}""", "http.listen")]
    [InlineData("""{"http":null}""", "http")]
    [InlineData("""{"models":[{"path":null}]}""", "path")]
    public void Load_BadFile_NamesTheKey(string json, string expected)
    {
        var refused = Assert.Throws<ConfigurationException>(() => ConfigurationLoader.Load(Write(json), new Hashtable(), []));

        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_ChainWithARemoteSignerAndALimit_IsRead()
    {
        var key = "0x" + new string('a', 128);
        var chain = ConfigurationLoader.Load(
            Write("""{"chain":{"id":1,"contract":"0x0000000000000000000000000000000000000001","maxSpendPerDay":0.05,"priorityFeeGwei":0.001,"maxFeePerGasGwei":0.5,"remoteSigner":{"url":"http://127.0.0.1:9000","publicKey":"KEY"}}}""".Replace("KEY", key, StringComparison.Ordinal)), new Hashtable(), []).Chain!;

        Assert.Equal((0.05m, 0.001, "", key), (chain.MaxSpendPerDay, chain.PriorityFeeGwei, chain.TransactionKeyFile, chain.RemoteSigner!.PublicKey));
    }

    [Fact]
    public void Load_MissingFile_NamesIt()
    {
        var refused = Assert.Throws<ConfigurationException>(() => ConfigurationLoader.Load(Path.Combine(_folder, "none.json"), new Hashtable(), []));

        Assert.Contains("none.json", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("=1")]
    public void Load_MalformedFlag_IsRefused(string setting) =>
        Assert.Throws<ConfigurationException>(() => ConfigurationLoader.Load(null, new Hashtable(), [setting]));

    [Fact]
    public void Load_ListenerOutsideLoopbackThatSaysSo_IsAccepted()
    {
        var configuration = ConfigurationLoader.Load(null, new Hashtable(), ["http.listen=http://0.0.0.0:8080", "http.allowInsecure=true"]);

        Assert.True(configuration.Http.AllowInsecure);
    }

    private string Write(string json)
    {
        var file = Path.Combine(_folder, "og.json");
        File.WriteAllText(file, json);
        return file;
    }
}
