using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Live;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Settlement;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary>What anybody may see: the overview, its stream, and the public proof of a leaf.</summary>
internal sealed class PublicEndpoints(EngineHost host, OverviewJson overview, RecentStatements? recent, TimeProvider clock)
{
    // Twice a second: fast enough to see stages pass on a one-second chain.
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(500);

    public Task Overview(HttpContext context) => Answers.Json(context, StatusCodes.Status200OK, overview.Write);

    public async Task Events(HttpContext context)
    {
        var stream = new EventStream(context);
        await stream.Begin();
        while (true)
        {
            await stream.Send("overview", overview.Write);
            await Task.Delay(Pace, clock, context.RequestAborted);
        }
    }

    public Task Leaf(HttpContext context, string leaf)
    {
        if (host.Settlement is { } settlement && Hash256.TryParse(leaf, out var hash)
            && recent?.StatementOf(hash) is { } id && settlement.Find(id) is { } status && settlement.ReadStatement(id) is { } bytes)
            return Answers.Json(context, StatusCodes.Status200OK, json => Write(json, settlement, hash, status, bytes));
        return Answers.Error(context, StatusCodes.Status404NotFound, "no recent receipt has this leaf; its holder can show it (POST /v1/bundles)");
    }

    private static void Write(Utf8JsonWriter json, SettlementService settlement, Hash256 leaf, StatementStatus status, byte[] bytes)
    {
        var statement = Statement.Decode(bytes);
        json.WriteStartObject();
        json.WriteString("leaf", leaf.ToString());
        json.WriteString("stage", status.Stage.Text());
        ReceiptEndpoints.WriteReasons(json, status);
        WriteRow(json, settlement, leaf, status, statement);
        json.WriteStartObject("statement");
        json.WriteString("id", status.StatementId.ToString());
        json.WriteBase64String("bytes", bytes);
        json.WriteString("model", statement.Context.ModelName);
        json.WriteNumber("sequence", statement.Sequence);
        json.WriteString("epoch", statement.Epoch.ToString());
        json.WriteString("signature", Convert.ToHexStringLower(statement.Signature.Span));
        json.WriteEndObject();
        var proof = settlement.GetProof(status.StatementId);
        if (proof?.Inclusion is { } inclusion) ReceiptJson.WriteInclusion(json, inclusion);
        if (proof?.Checkpoint is { } checkpoint) ReceiptJson.WriteCheckpoint(json, checkpoint);
        if (proof?.Anchor is { } anchor) ReceiptJson.WriteAnchor(json, anchor);
        ReceiptEndpoints.WriteTimes(json, status);
        json.WriteEndObject();
    }

    // The path needs every leaf of the batch; of a resubmitted receipt's batch only single ones are known.
    private static void WriteRow(Utf8JsonWriter json, SettlementService settlement, Hash256 leaf, StatementStatus status, Statement statement)
    {
        var leaves = settlement.LeavesOf(status.StatementId).Select(row => row.Leaf).ToArray();
        var index = Array.IndexOf(leaves, leaf);
        if (index < 0 || leaves.Length != statement.Receipts) return;
        json.WriteStartObject("row");
        json.WriteNumber("index", index);
        json.WriteNumber("count", leaves.Length);
        json.WriteString("root", statement.RowsRoot.ToString());
        ReceiptJson.WritePath(json, MerkleTree.InclusionPath(leaves, index));
        json.WriteEndObject();
    }
}
