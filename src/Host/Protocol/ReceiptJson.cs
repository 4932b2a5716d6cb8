using System.Buffers;
using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Host.Protocol;

/// <summary>The JSON form of receipts and proofs, for people. The bytes are what counts.</summary>
public static class ReceiptJson
{
    public static ArrayBufferWriter<byte> Render(ReceiptBundle bundle)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("id", bundle.Receipt.Id.ToString());
        WriteStatement(json, bundle.Receipt);
        WriteRow(json, bundle.Receipt);
        if (bundle.Evidence is { } evidence) WriteEvidence(json, "evidence", evidence);
        if (bundle.CheckpointEvidence is { } signer) WriteEvidence(json, "checkpointEvidence", signer);
        WriteProof(json, bundle.Inclusion, bundle.Consistency, bundle.Checkpoint, bundle.Cosignatures, bundle.Anchor);
        json.WriteEndObject();
        json.Flush();
        return buffer;
    }

    /// <summary>The parts of a proof that are there.</summary>
    public static void WriteProof(
        Utf8JsonWriter json, InclusionProof? inclusion, Hash256[]? consistency, SignedCheckpoint? checkpoint, ReadOnlyMemory<byte> cosignatures, AnchorClaim? anchor)
    {
        if (inclusion is not null) WriteInclusion(json, inclusion);
        if (consistency is not null && inclusion is not null && checkpoint is not null)
        {
            json.WriteStartObject("consistency");
            json.WriteNumber("from", inclusion.TreeSize);
            json.WriteNumber("to", checkpoint.Size);
            WritePath(json, consistency);
            json.WriteEndObject();
        }

        if (checkpoint is not null) WriteCheckpoint(json, checkpoint);
        if (!cosignatures.IsEmpty) WriteCosignatures(json, cosignatures);
        if (anchor is not null) WriteAnchor(json, anchor);
    }

    public static void WriteInclusion(Utf8JsonWriter json, InclusionProof inclusion)
    {
        json.WriteStartObject("inclusion");
        json.WriteNumber("index", inclusion.LeafIndex);
        json.WriteNumber("size", inclusion.TreeSize);
        WritePath(json, inclusion.Path);
        json.WriteEndObject();
    }

    public static void WriteCheckpoint(Utf8JsonWriter json, SignedCheckpoint checkpoint)
    {
        json.WriteStartObject("checkpoint");
        json.WriteNumber("size", checkpoint.Size);
        json.WriteString("root", checkpoint.Root.ToString());
        json.WriteString("previousHead", checkpoint.PreviousHead.ToString());
        json.WriteNumber("chainId", checkpoint.ChainId);
        json.WriteString("contract", checkpoint.Contract.ToString());
        json.WriteString("epoch", checkpoint.Epoch.ToString());
        json.WriteString("signature", Convert.ToHexStringLower(checkpoint.Signature.Span));
        json.WriteString("logPublicKey", Convert.ToHexStringLower(checkpoint.LogPublicKey.Span));
        json.WriteString("note", Encoding.UTF8.GetString(checkpoint.Note.Span));
        json.WriteEndObject();
    }

    private static void WriteCosignatures(Utf8JsonWriter json, ReadOnlyMemory<byte> lines)
    {
        json.WriteStartArray("cosignatures");
        foreach (var line in CheckpointNote.ParseSignatures(lines.Span))
        {
            json.WriteStartObject();
            json.WriteString("witness", line.Name);
            json.WriteString("keyId", line.KeyId.ToString("x8", System.Globalization.CultureInfo.InvariantCulture));
            if (Cosignature.TimeOf(line.Signature.Span) is { } time) json.WriteString("time", DateTimeOffset.UnixEpoch.AddSeconds(Math.Min(time, 253402300799)));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    public static void WriteAnchor(Utf8JsonWriter json, AnchorClaim anchor)
    {
        json.WriteStartObject("anchor");
        json.WriteString("transaction", $"0x{anchor.Transaction}");
        json.WriteNumber("block", anchor.BlockNumber);
        json.WriteString("blockHash", $"0x{anchor.BlockHash}");
        json.WriteNumber("logIndex", anchor.LogIndex);
        json.WriteEndObject();
    }

    public static void WritePath(Utf8JsonWriter json, IEnumerable<Hash256> path)
    {
        json.WriteStartArray("path");
        foreach (var hash in path) json.WriteStringValue(hash.ToString());
        json.WriteEndArray();
    }

    private static void WriteStatement(Utf8JsonWriter json, Receipt receipt)
    {
        var statement = Statement.Decode(receipt.Statement.Span);
        json.WriteStartObject("statement");
        json.WriteString("id", receipt.StatementId.ToString());
        json.WriteString("log", statement.LogId.ToString());
        json.WriteString("epoch", statement.Epoch.ToString());
        json.WriteNumber("sequence", statement.Sequence);
        json.WriteString("signature", Convert.ToHexStringLower(statement.Signature.Span));
        json.WriteString("model", statement.Context.ModelName);
        json.WriteString("modelVersion", statement.Context.ModelVersion);
        json.WriteString("modelIdentity", statement.Context.ModelIdentity.ToString());
        json.WriteString("determinism", statement.Context.Determinism.ToString());
        json.WriteNumber("paddingMultiple", statement.Context.PaddingMultiple);
        json.WriteNumber("minimumRows", statement.Context.MinimumRows);
        var runtime = statement.Context.Runtime;
        json.WriteString("runtime", $"{runtime.Backend} {runtime.LibraryVersion} {runtime.Provider} {runtime.Device} {runtime.Precision} {runtime.Options}");
        json.WriteString("runtimeLibrary", runtime.LibraryDigest.ToString());
        json.WriteString("rowsRoot", statement.RowsRoot.ToString());
        json.WriteNumber("receipts", statement.Receipts);
        json.WriteNumber("batchRows", statement.BatchRows);
        json.WriteString("hostTime", DateTimeOffset.UnixEpoch.AddTicks((long)(statement.HostTime / 100)));
        if (statement.Chain is { } chain) json.WriteString("notBeforeBlock", $"{chain.BlockNumber} {chain.BlockHash} on chain {chain.ChainId}");
        json.WriteEndObject();
    }

    private static void WriteRow(Utf8JsonWriter json, Receipt receipt)
    {
        var leaf = RowLeaf.Decode(receipt.Leaf.Span);
        json.WriteStartObject("row");
        json.WriteNumber("index", receipt.Row);
        json.WriteString("leaf", receipt.LeafHash.ToString());
        json.WriteString("salt", Convert.ToHexStringLower(leaf.Salt.Span));
        json.WriteString("request", leaf.Request.ToString());
        json.WriteString("output", leaf.Output.ToString());
        json.WriteString("parameters", leaf.Parameters.ToString());
        json.WriteNumber("firstSlot", leaf.FirstSlot);
        json.WriteNumber("rows", leaf.Rows);
        WritePath(json, receipt.Path);
        json.WriteEndObject();
    }

    private static void WriteEvidence(Utf8JsonWriter json, string name, Evidence evidence)
    {
        var binding = EpochBinding.Decode(evidence.Binding.Span);
        json.WriteStartObject(name);
        json.WriteString("kind", KindName(evidence.Kind));
        if (evidence.Kind == EvidenceKind.Software) json.WriteString("warning", "development only: not trusted");
        json.WriteString("epoch", evidence.Epoch.ToString());
        json.WriteString("build", binding.BuildDigest.ToString());
        json.WriteString("log", binding.LogId.ToString());
        json.WriteNumber("chainId", binding.ChainId);
        json.WriteString("contract", binding.Contract.ToString());
        json.WriteString("nonce", Convert.ToHexStringLower(binding.Nonce.Span));
        json.WriteEndObject();
    }

    public static string KindName(EvidenceKind kind) => kind switch
    {
        EvidenceKind.Software => "software",
        EvidenceKind.Nitro => "nitro",
        EvidenceKind.SevSnp => "sev-snp",
        EvidenceKind.Tdx => "tdx",
        EvidenceKind.Tpm => "tpm",
        _ => "unknown",
    };
}
