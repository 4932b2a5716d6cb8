using System.Text.Json;
using OpenGradient.Engine.Formats.Tests.Support;

namespace OpenGradient.Engine.Formats.Tests;

/// <summary>The golden vectors, read by managed code alone; the native side reads the same file in its own tests.</summary>
public sealed class VectorTests
{
    private static readonly Dictionary<string, string> Vectors = Load();

    [Fact]
    public void Vectors_EveryEncoding_DecodesAndEncodesToTheSameBytes()
    {
        Assert.Equal(Bytes("statement.bytes"), Statement.Decode(Bytes("statement.bytes")).Encode());
        Assert.Equal(Bytes("statement.context"), StatementContext.Decode(Bytes("statement.context")).Encode());
        Assert.Equal(Bytes("statement.context_with_minimum_rows"), StatementContext.Decode(Bytes("statement.context_with_minimum_rows")).Encode());
        Assert.Equal(Bytes("receipt.bytes"), Receipt.Decode(Bytes("receipt.bytes")).Encode());
        Assert.Equal(Bytes("epoch.binding"), EpochBinding.Decode(Bytes("epoch.binding")).Encode());
        Assert.Equal(Bytes("evidence.envelope"), Evidence.Decode(Bytes("evidence.envelope")).Encode());
        Assert.Equal(Bytes("bundle.bytes"), ReceiptBundle.Decode(Bytes("bundle.bytes")).Encode());
    }

    [Fact]
    public void Vectors_EveryDigest_IsTheManagedOne()
    {
        var bundle = ReceiptBundle.Decode(Bytes("bundle.bytes"));
        var binding = EpochBinding.Decode(Bytes("epoch.binding"));
        Assert.Equal(Vectors["epoch.id"], Hash256.Sha256(Bytes("epoch.binding")).ToString());
        Assert.Equal(Bytes("epoch.public_key"), binding.SigningKey.ToArray());
        Assert.Equal(Vectors["epoch.address"], EvmAddress.OfPublicKey(binding.SigningKey.Span).ToString()[2..]);
        Assert.Equal(Vectors["log.id"], SignedNote.LogIdOf(Bytes("log.public_key")).ToString());
        Assert.Equal(Vectors["leaf.hash"], RowLeaf.HashOf(Bytes("leaf.preimage")).ToString());
        Assert.Equal(Vectors["leaf.receipt_id"], ReceiptId.Of(Bytes("leaf.preimage")).ToString());
        Assert.Equal(Vectors["params.none.digest"], TensorSetDigest.NoParameters.ToString());
        Assert.Equal(Vectors["tensors.none.digest"], TensorSetDigest.Of([]).ToString());
        Assert.Equal(Vectors["hash.keccak256"], Convert.ToHexStringLower(NaiveKeccak.Hash(Bytes("hash.input"))));
        Assert.Equal(Vectors["checkpoint.digest"], bundle.Checkpoint?.ClaimFor(Hash256.Parse(Vectors["log.id"])).Digest().ToString());
    }

    private static byte[] Bytes(string name) => Convert.FromHexString(Vectors[name]);

    private static Dictionary<string, string> Load()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "OpenGradient.Engine.sln"))) folder = folder.Parent;
        var file = Path.Combine(folder?.FullName ?? "", "tests", "vectors", "formats.json");
        return JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(file)) ?? [];
    }
}
