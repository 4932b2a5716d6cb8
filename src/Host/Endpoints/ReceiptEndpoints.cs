using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Host.Server;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Settlement;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary>Where receipts stand, their stages as they come, their proofs; and the way back in for promises.</summary>
public sealed class ReceiptEndpoints(EngineHost host)
{
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    public Task Status(HttpContext context, string id)
    {
        if (host.Settlement is not { } settlement) return Without(context);
        return ReceiptId.TryParse(id, out var receipt) && settlement.Find(receipt) is { } status
            ? Answers.Json(context, StatusCodes.Status200OK, json => WriteStatus(json, status))
            : Unknown(context);
    }

    /// <summary>Server-sent events: the present stage, then each further one, until the receipt is final or quarantined.</summary>
    public async Task Events(HttpContext context, string id)
    {
        if (host.Settlement is not { } settlement)
        {
            await Without(context);
            return;
        }

        // Subscribed before the first look, so that no stage falls between the two.
        using var subscription = settlement.Subscribe(256);
        if (!ReceiptId.TryParse(id, out var receipt) || settlement.Find(receipt) is not { } status)
        {
            await Unknown(context);
            return;
        }

        if (subscription is null)
        {
            await Answers.Error(context, StatusCodes.Status503ServiceUnavailable, "too many streams are open");
            return;
        }

        using var stream = new EventStream(context);
        await stream.Begin();
        var told = status.Statement.Stage;
        await stream.Send("stage", json => WriteStatus(json, status));
        while (told is not (ReceiptStage.Final or ReceiptStage.Quarantined))
        {
            if (!await stream.WaitFor(subscription.Reader, KeepAlive)) continue;
            while (subscription.Reader.TryRead(out _))
            {
                // A change of any statement is a reason to look; the state itself says what is true now, also after missed changes.
            }

            if (settlement.Find(receipt) is not { } now || now.Statement.Stage == told) continue;
            told = now.Statement.Stage;
            await stream.Send("stage", json => WriteStatus(json, now));
        }
    }

    /// <summary>Takes a signed promise back: 200 when it is durable.</summary>
    public async Task Submit(HttpContext context)
    {
        if (host.Settlement is not { } settlement)
        {
            await Without(context);
            return;
        }

        var receipt = await ReadReceipt(context);
        var outcome = await settlement.SubmitAsync(receipt);
        switch (outcome.Status)
        {
            case SubmitStatus.Accepted or SubmitStatus.AlreadyKnown:
                await Answers.Json(context, StatusCodes.Status200OK, json => WriteStatus(json, Known(settlement, receipt)));
                break;
            case SubmitStatus.Refused:
                await Answers.Error(context, StatusCodes.Status422UnprocessableEntity, $"the receipt is refused: {string.Join(", ", outcome.Reasons.Select(reason => reason.Text()))}{(outcome.Detail is null ? "" : $" ({outcome.Detail})")}");
                break;
            default:
                context.Response.Headers.RetryAfter = "1";
                await Answers.Error(context, StatusCodes.Status503ServiceUnavailable, "the receipt could not be stored now; the operator's metrics say why, try again later");
                break;
        }
    }

    /// <summary>The receipt shown, with its proof as far as it has grown; with <c>?size=</c> under a later anchor.</summary>
    public async Task Bundle(HttpContext context)
    {
        var size = RequestedSize(context);
        var receipt = await ReadReceipt(context);
        var proof = host.Settlement?.GetProof(receipt.StatementId);
        if (proof is { } grown && size is { } asked)
        {
            if (host.Settlement!.GetProofUnder(grown, asked.Size) is not { } later)
            {
                await NoSuchAnchor(context);
                return;
            }

            proof = later;
        }

        var bundle = proof?.BundleOf(receipt) ?? new ReceiptBundle { Receipt = receipt, Evidence = OwnEvidence(receipt) };
        var bytes = bundle.Encode();
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    /// <summary>What has grown of the proof, without the receipt's own bytes, which this host does not keep.</summary>
    public Task Proof(HttpContext context, string id)
    {
        if (host.Settlement is not { } settlement) return Without(context);
        var size = RequestedSize(context);
        if (!ReceiptId.TryParse(id, out var receipt) || settlement.GetProof(receipt) is not { } proof) return Unknown(context);
        if (size is { } asked)
        {
            if (settlement.GetProofUnder(proof, asked.Size) is not { } later) return NoSuchAnchor(context);
            proof = later;
        }

        return Answers.Json(context, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteString("statement", proof.StatementId.ToString());
            json.WriteString("stage", proof.Stage.Text());
            ReceiptJson.WriteProof(json, proof.Inclusion, proof.Consistency, proof.Checkpoint, proof.Cosignatures, proof.Anchor);
            json.WriteEndObject();
        });
    }

    public static void WriteTimes(Utf8JsonWriter json, StatementStatus statement)
    {
        json.WriteStartObject("times");
        WriteTime(json, "executed", statement.ExecutedAt);
        WriteTime(json, "durable", statement.DurableAt);
        WriteTime(json, "verified", statement.VerifiedAt);
        WriteTime(json, "anchored", statement.AnchoredAt);
        WriteTime(json, "final", statement.FinalAt);
        WriteTime(json, "quarantined", statement.QuarantinedAt);
        WriteTime(json, "reopened", statement.ReopenedAt);
        json.WriteEndObject();
    }

    public static void WriteTime(Utf8JsonWriter json, string name, ulong? nanoseconds)
    {
        if (nanoseconds is { } time) json.WriteString(name, DateTimeOffset.UnixEpoch.AddTicks((long)(time / 100)).ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ"));
    }

    public static void WriteReasons(Utf8JsonWriter json, StatementStatus statement)
    {
        json.WriteStartArray("reasons");
        foreach (var reason in statement.Reasons) json.WriteStringValue(reason.Text());
        json.WriteEndArray();
    }

    private static void WriteStatus(Utf8JsonWriter json, ReceiptStatus status)
    {
        json.WriteStartObject();
        json.WriteString("id", status.Receipt.ToString());
        json.WriteString("stage", status.Statement.Stage.Text());
        WriteReasons(json, status.Statement);
        json.WriteString("statement", status.Statement.StatementId.ToString());
        json.WriteString("leaf", status.Leaf.ToString());
        json.WriteNumber("row", status.Row);
        if (status.Statement.Inclusion is not null) json.WriteString("closedBecause", status.Statement.ClosedBecause.ToString());
        WriteTimes(json, status.Statement);
        AuditJson.WriteAnnotation(json, status.Audit);
        json.WriteEndObject();
    }

    // A final receipt may have left the index of ids already; its statement has not.
    private static ReceiptStatus Known(SettlementService settlement, Receipt receipt) =>
        settlement.Find(receipt.Id) ?? new ReceiptStatus(receipt.Id, receipt.Row, receipt.LeafHash, settlement.Find(receipt.StatementId)!);

    private Evidence? OwnEvidence(Receipt receipt) =>
        host.Keys.Find(Statement.Decode(receipt.Statement.Span).Epoch) is { } epoch ? Evidence.Decode(epoch.Evidence.Span) : null;

    private static async Task<Receipt> ReadReceipt(HttpContext context)
    {
        var body = await RequestBody.Read(context, Receipt.MaxSize);
        try
        {
            var receipt = Receipt.Decode(body.Span);
            Statement.Decode(receipt.Statement.Span);
            return receipt;
        }
        catch (FormatException e)
        {
            throw new BadRequestException($"the body is not a receipt: {e.Message}");
        }
    }

    // ?size=newest or ?size=N; null where it is absent.
    private static RequestedAnchor? RequestedSize(HttpContext context)
    {
        var text = context.Request.Query["size"].ToString();
        if (text.Length == 0) return null;
        if (text == "newest") return new(null);
        return CheckpointNote.ParseSize(text) is { } size ? new(size) : throw new BadRequestException("size is neither 'newest' nor a decimal number");
    }

    /// <summary>Null: the newest final one.</summary>
    private sealed record RequestedAnchor(ulong? Size);

    private static Task NoSuchAnchor(HttpContext context) =>
        Answers.Error(context, StatusCodes.Status404NotFound, "no anchor of that size is in a block, or it does not cover this receipt");

    private static Task Without(HttpContext context) =>
        Answers.Error(context, StatusCodes.Status404NotFound, "this host runs without settlement: receipts are signed promises that nobody keeps");

    private static Task Unknown(HttpContext context) =>
        Answers.Error(context, StatusCodes.Status404NotFound, "no such receipt is known here: submit it (POST /v1/receipts) if its host died before it was durable");
}
