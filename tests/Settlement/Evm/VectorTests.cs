using System.Globalization;
using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Evm;

/// <summary>Byte for byte against tests/vectors/evm.json, which viem made.</summary>
public sealed class VectorTests
{
    private static readonly JsonElement Vectors =
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Repository.Root, "tests", "vectors", "evm.json"))).RootElement;

    [Fact]
    public void Rlp_EveryVector_IsEncodedAlike()
    {
        var seen = 0;
        foreach (var vector in Vectors.GetProperty("rlp").EnumerateArray())
        {
            var list = new RlpWriter();
            Write(list, vector.GetProperty("value"));
            // The writer only closes lists; a value's encoding is a one-item list without its head.
            var expected = Bytes(vector, "encoded");
            var wrapped = list.ToList();
            Assert.Equal(expected, wrapped[^expected.Length..]);
            seen++;
        }

        Assert.True(seen >= 10);
    }

    [Fact]
    public void Transaction_EveryVector_HasTheSameBytesHashAndSignature()
    {
        var seen = 0;
        foreach (var vector in Vectors.GetProperty("transactions").EnumerateArray())
        {
            if (vector.GetProperty("accessList").GetArrayLength() > 0) continue; // not used here, so not encoded here
            var signer = new Secp256k1(Bytes(vector, "privateKey"));
            var transaction = new Eip1559Transaction(
                Number(vector, "chainId"), Number(vector, "nonce"), Wei(vector, "maxPriorityFeePerGas"), Wei(vector, "maxFeePerGas"), Number(vector, "gas"),
                vector.GetProperty("to").ValueKind == JsonValueKind.Null ? null : EvmAddress.Parse(vector.GetProperty("to").GetString()), Wei(vector, "value"), Bytes(vector, "data"));
            var raw = transaction.Encode(signer.SignDigest(transaction.SigningHash()));

            Assert.Equal(vector.GetProperty("signingHash").GetString(), "0x" + transaction.SigningHash());
            Assert.Equal(Bytes(vector, "signed"), raw);
            Assert.Equal(vector.GetProperty("hash").GetString(), "0x" + Eip1559Transaction.HashOf(raw));
            seen++;
        }

        Assert.True(seen >= 15);
    }

    [Fact]
    public void Calls_EveryVector_HaveTheSameCalldata()
    {
        var seen = 0;
        foreach (var vector in Vectors.GetProperty("functions").EnumerateArray())
        {
            var args = vector.GetProperty("args").EnumerateArray().Select(arg => arg.ToString()).ToArray();
            byte[]? encoded = vector.GetProperty("signature").GetString()!.Split('(')[0] switch
            {
                "head" => LedgerAbi.Head(Hash256.Parse(args[0])),
                "registerKey" => LedgerAbi.RegisterKey(Hash256.Parse(args[0]), EvmAddress.Parse(args[1]), Hash256.Parse(args[2]), Hash256.Parse(args[3]), EvmAddress.Parse(args[4])),
                "keyInfo" => LedgerAbi.KeyInfo(EvmAddress.Parse(args[0])),
                "revokeKey" => LedgerAbi.RevokeKey(Hash256.Parse(args[0]), EvmAddress.Parse(args[1]), Hash256.Parse(args[2])),
                "setPaused" => AdministrationAbi.SetPaused(args[0] == "True"),
                "setHalted" => AdministrationAbi.SetHalted([.. JsonSerializer.Deserialize<string[]>(args[0])!.Select(logId => Hash256.Parse(logId))], args[1] == "True"),
                "setRegistrar" => AdministrationAbi.SetRegistrar(EvmAddress.Parse(args[0])),
                "transferOwnership" => AdministrationAbi.TransferOwnership(EvmAddress.Parse(args[0])),
                "acceptOwnership" => AdministrationAbi.AcceptOwnership(),
                "owner" => AdministrationAbi.Owner(),
                "pendingOwner" => AdministrationAbi.PendingOwner(),
                "registrar" => AdministrationAbi.Registrar(),
                "paused" => AdministrationAbi.Paused(),
                "isHalted" => AdministrationAbi.IsHalted(Hash256.Parse(args[0])),
                _ => null,
            };
            if (encoded is null) continue;
            Assert.Equal(Bytes(vector, "calldata"), encoded);
            seen++;
        }

        Assert.True(seen >= 14);
    }

    [Fact]
    public void Anchor_EveryCheckpointVector_HasTheCalldataThatTheContractTakes()
    {
        foreach (var vector in Vectors.GetProperty("eip712").GetProperty("checkpoints").EnumerateArray())
        {
            var signature = Bytes(vector, "signature");
            signature[64] -= 27;
            var call = LedgerAbi.Anchor(
                Hash256.Parse(vector.GetProperty("logId").GetString()), EvmAddress.Parse(vector.GetProperty("signer").GetString()), Number(vector, "size"), Hash256.Parse(vector.GetProperty("root").GetString()), signature);
            Assert.Equal(Bytes(vector, "anchorCall"), call);
        }
    }

    [Fact]
    public void Anchor_SignatureThatDoesNotFitTheCompactForm_Throws()
    {
        foreach (var (at, value) in new[] { (64, 2), (32, 0x80) })
        {
            var signature = new byte[65];
            signature[at] = (byte)value;
            Assert.Throws<ArgumentException>(() => LedgerAbi.Anchor(default, default, 1, default, signature));
        }

        Assert.Throws<ArgumentException>(() => LedgerAbi.Anchor(default, default, 1, default, new byte[64]));
    }

    [Fact]
    public void Adjudication_EveryVector_HasTheSameCalldata()
    {
        var seen = 0;
        foreach (var vector in Vectors.GetProperty("adjudication").EnumerateArray())
        {
            byte[] encoded;
            if (vector.GetProperty("function").GetString() == "proveStatementEquivocation")
            {
                encoded = AdjudicationAbi.ProveStatementEquivocation(Bytes(vector, "first"), Bytes(vector, "second"));
            }
            else
            {
                var logId = Hash256.Parse(vector.GetProperty("logId").GetString());
                SignedCheckpoint Side(string name) => new(
                    Number(vector, "size"), Hash256.Parse(vector.GetProperty(name + "Root").GetString()), Hash256.Parse(vector.GetProperty(name + "PreviousHead").GetString()), 1, default, default, Bytes(vector, name + "Signature"), default, default);
                encoded = AdjudicationAbi.ProveCheckpointEquivocation(logId, Side("first"), Side("second"));
            }

            Assert.Equal(Bytes(vector, "calldata"), encoded);
            seen++;
        }

        Assert.Equal(2, seen);
    }

    [Fact]
    public void Events_OfRegistrations_HaveTheTopicThatIsSearched() =>
        Assert.Contains(Vectors.GetProperty("events").EnumerateArray(), vector => vector.GetProperty("topic0").GetString() == "0x" + LedgerAbi.KeyRegisteredTopic);

    [Fact]
    public void Events_AnchoredVectors_DecodeToTheirArgumentsAndNothingElseDoes()
    {
        foreach (var vector in Vectors.GetProperty("anchored").EnumerateArray())
        {
            var (logId, data) = (Hash256.Parse(vector.GetProperty("logId").GetString()), Bytes(vector, "data"));
            var anchored = LedgerAbi.DecodeAnchored(logId, [logId], data)!.Value;
            Assert.Equal(vector.GetProperty("size").ToString(), anchored.Size.ToString(CultureInfo.InvariantCulture));
            Assert.Equal(vector.GetProperty("root").GetString(), "0x" + anchored.Root);
            Assert.Null(LedgerAbi.DecodeAnchored(default, [logId], data));
            Assert.Null(LedgerAbi.DecodeAnchored(logId, [logId, logId], data));
            Assert.Null(LedgerAbi.DecodeAnchored(logId, [], data));
            Assert.Null(LedgerAbi.DecodeAnchored(logId, [logId], [.. data, 0]));
        }
    }

    [Fact]
    public void Results_HeadVectors_Decode()
    {
        var seen = 0;
        foreach (var vector in Vectors.GetProperty("results").EnumerateArray())
        {
            if (vector.GetProperty("function").GetString() != "head") continue;
            var (head, key) = LedgerAbi.DecodeHead(Bytes(vector, "data"))!.Value;
            Assert.Equal(vector.GetProperty("result")[0].GetString(), "0x" + head);
            Assert.Equal(vector.GetProperty("result")[1].GetString(), key.ToString(), ignoreCase: true);
            seen++;
        }

        Assert.True(seen >= 1);
        Assert.Null(LedgerAbi.DecodeHead([]));
    }

    [Fact]
    public void Checkpoints_EveryVector_HaveTheSignatureThatTheContractTakes()
    {
        foreach (var vector in Vectors.GetProperty("eip712").GetProperty("checkpoints").EnumerateArray())
        {
            var claim = new CheckpointClaim(
                Hash256.Parse(vector.GetProperty("logId").GetString()), Number(vector, "size"), Hash256.Parse(vector.GetProperty("root").GetString()),
                Hash256.Parse(vector.GetProperty("previousHead").GetString()), Number(vector, "chainId"), EvmAddress.Parse(vector.GetProperty("contract").GetString()));
            Assert.Equal(vector.GetProperty("digest").GetString(), "0x" + claim.Digest());
            var signature = new Secp256k1(Bytes(vector, "privateKey")).SignDigest(claim.Digest());
            signature[64] += 27;
            Assert.Equal(Bytes(vector, "signature"), signature);
        }
    }

    private static void Write(RlpWriter into, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            into.Bytes(Convert.FromHexString(value.GetString()![2..]));
            return;
        }

        var items = new RlpWriter();
        foreach (var item in value.EnumerateArray()) Write(items, item);
        into.List(items);
    }

    private static byte[] Bytes(JsonElement vector, string name) => Convert.FromHexString(vector.GetProperty(name).GetString()![2..]);

    private static ulong Number(JsonElement vector, string name) => ulong.Parse(vector.GetProperty(name).ToString(), CultureInfo.InvariantCulture);

    private static UInt128 Wei(JsonElement vector, string name) => UInt128.Parse(vector.GetProperty(name).ToString(), CultureInfo.InvariantCulture);
}
