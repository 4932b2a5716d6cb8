using System.Text.Json;
using System.Text.RegularExpressions;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Live;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Settlement;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary>What anybody may see: the overview, its stream, and the public proof of a leaf.</summary>
internal sealed partial class PublicEndpoints(EngineHost host, OverviewJson overview, RecentStatements? recent, TimeProvider clock)
{
    private readonly OverviewFeed _feed = new(overview, clock);

    // 1 while a platform makes evidence for a challenge: a TPM takes its time, and anybody may ask.
    private int _attesting;

    public Task Overview(HttpContext context) => Answers.Json(context, StatusCodes.Status200OK, overview.Write);

    public async Task Events(HttpContext context)
    {
        using var place = _feed.TryEnter();
        if (place is null)
        {
            await Answers.Error(context, StatusCodes.Status503ServiceUnavailable, "too many streams are open");
            return;
        }

        using var stream = new EventStream(context);
        await stream.Begin();
        while (true)
        {
            await stream.Send("overview", _feed.Newest());
            await Task.Delay(OverviewFeed.Pace, clock, stream.Ended);
        }
    }

    /// <summary>The epoch's evidence; with <c>?nonce=HEX</c> evidence made now for that challenge, over the same key.</summary>
    public async Task Evidence(HttpContext context)
    {
        var nonce = context.Request.Query["nonce"].ToString();
        var challenge = new byte[EpochBinding.MaxNonceSize];
        var written = 0;
        if (nonce.Length > 0 && (nonce.Length % 2 == 1 || Convert.FromHexString(nonce, challenge, out _, out written) != System.Buffers.OperationStatus.Done))
            throw new BadRequestException($"nonce is not 1 to {EpochBinding.MaxNonceSize} bytes in hexadecimal");
        if (nonce.Length > 0 && Interlocked.Exchange(ref _attesting, 1) == 1)
        {
            await Answers.Error(context, StatusCodes.Status503ServiceUnavailable, "evidence is being made for another challenge: ask again");
            return;
        }

        ReadOnlyMemory<byte> evidence;
        try
        {
            evidence = nonce.Length == 0 ? host.Epoch.Epoch.Evidence : host.Epoch.FreshEvidence(challenge.AsSpan(0, written));
        }
        catch (AttestationException)
        {
            // Why is the operator's business: the message names devices.
            await Answers.Error(context, StatusCodes.Status503ServiceUnavailable, "the attester gives no evidence now");
            return;
        }
        finally
        {
            if (nonce.Length > 0) Volatile.Write(ref _attesting, 0);
        }

        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = evidence.Length;
        await context.Response.Body.WriteAsync(evidence, context.RequestAborted);
    }

    /// <summary>The evidence of one of the log's epochs, this one's or a predecessor's: who audits the log checks every statement against it.</summary>
    public async Task EvidenceOf(HttpContext context, string epoch)
    {
        if (!Hash256.TryParse(epoch, out var id) || (host.Keys.Find(id) ?? host.Settlement?.Epochs.FirstOrDefault(known => known.Id == id)) is not { } found)
        {
            await Answers.Error(context, StatusCodes.Status404NotFound, "no such epoch is known here");
            return;
        }

        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = found.Evidence.Length;
        await context.Response.Body.WriteAsync(found.Evidence, context.RequestAborted);
    }

    /// <summary>What a witness or an auditor pins, and which witnesses have cosigned how much.</summary>
    public Task Log(HttpContext context) => Answers.Json(context, StatusCodes.Status200OK, json =>
    {
        json.WriteStartObject();
        json.WriteString("id", host.LogId.ToString());
        json.WriteString("verifierKey", host.LogVerifierKey);
        if (host.Settlement is { } settlement)
        {
            json.WriteNumber("size", settlement.LogSizes.Size);
            json.WriteStartArray("witnesses");
            foreach (var witness in settlement.Witnesses)
            {
                json.WriteStartObject();
                json.WriteString("name", witness.Name);
                json.WriteNumber("size", witness.Cosigned);
                if (witness.Trouble is { } trouble) json.WriteString("trouble", trouble.ToString());
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    });

    /// <summary>The published log as C2SP tlog-tiles: its checkpoint, tiles and entry bundles, and nothing else of the folder.</summary>
    public Task LogFile(HttpContext context, string path)
    {
        if (host.Settlement is not { } settlement || !TilePath().IsMatch(path)) return Answers.Error(context, StatusCodes.Status404NotFound, $"the log has no file '{path}'");
        var file = Path.Combine(settlement.LogFolder, path);
        if (!File.Exists(file)) return Answers.Error(context, StatusCodes.Status404NotFound, $"the log has no file '{path}' yet");
        context.Response.ContentType = path == "checkpoint" ? "text/plain; charset=utf-8" : "application/octet-stream";
        // A tile never changes; the checkpoint does with every anchor.
        if (path != "checkpoint") context.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        return context.Response.SendFileAsync(file, context.RequestAborted);
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

    // https://c2sp.org/tlog-tiles: tile/<level or entries>/<index in groups of three digits>[.p/<width>]
    [GeneratedRegex(@"^(checkpoint|tile/(entries|[0-9]{1,2})/(x[0-9]{3}/)*[0-9]{3}(\.p/[0-9]{1,3})?)$")]
    private static partial Regex TilePath();
}
