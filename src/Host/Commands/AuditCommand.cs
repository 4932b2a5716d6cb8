using System.CommandLine;
using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Hosting.Trust;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Custody;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Log;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og audit</c>: recomputes the chain of custody from bytes, and names the first that is wrong.</summary>
internal static class AuditCommand
{
    private static readonly TimeSpan FetchTimeout = TimeSpan.FromSeconds(30);

    public static Command Create()
    {
        var data = new Option<string?>("--data") { Description = "Data folder: outbox, log and chain are compared; a host may be working in it" };
        var url = CommonOptions.Address("--url", "A host's address: its published log and the chain are compared");
        var trust = new Option<string?>("--trust") { Description = "Trust file; of --data, trust.json in the folder by default" };
        var rpc = CommonOptions.Address("--rpc", "Node to compare anchors with, instead of the trust file's");
        var noChain = new Option<bool>("--no-chain") { Description = "Do not compare anchors with a chain" };
        var witness = new Option<string[]>("--witness") { Description = "A witness's address: what it shows must be this log's history; may be repeated", DefaultValueFactory = _ => [] };
        var output = new Option<string?>("--output") { Description = "Where two contradicting checkpoints are written, if any are found", DefaultValueFactory = _ => "equivocation.json" };
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var at = CommonOptions.At("Time to judge platforms' evidence at; without it the chain's own: when each epoch's key was registered");
        var command = new Command("audit", "Recompute the chain of custody, outbox to log to chain; names the first byte that is wrong") { data, url, trust, rpc, noChain, witness, output, json, at };
        command.Add(CompareCommand.Create());
        command.SetAction(async (parsed, cancellation) =>
        {
            var (folder, host) = (parsed.GetValue(data), parsed.GetValue(url));
            if (folder is null == host is null) throw new FormatException("og audit wants either --data FOLDER or --url URL");
            var file = parsed.GetValue(trust) ?? (folder is not null ? Path.Combine(folder, "trust.json") : throw new FormatException("og audit --url wants --trust FILE"));
            if (!File.Exists(file)) throw new FormatException($"trust file '{file}' does not exist: give --trust FILE");
            var trustFile = TrustFile.Read(file);
            using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = Timeout.InfiniteTimeSpan };
            var endpoint = parsed.GetValue(noChain) ? null : parsed.GetValue(rpc) ?? (trustFile.Chain.Rpc is { } named ? new Uri(named) : throw new FormatException("the trust file names no chain.rpc: give --rpc, or --no-chain"));
            var moments = new AuditMoments(trustFile.ToPolicy(), http, endpoint, CommonOptions.ReadTime(parsed.GetValue(at)), cancellation);
            var views = parsed.GetValue(witness)!.Select(address => View(http, address)).ToArray();
            AuditReport report;
            try
            {
                report = folder is not null
                    ? await OfFolder(Path.GetFullPath(folder), trustFile, http, endpoint, views, moments, cancellation)
                    : await OfHost(host!, trustFile, http, endpoint, views, moments, cancellation);
            }
            catch (LogUnreachableException unreachable)
            {
                Console.Error.WriteLine($"error: the audit could not be finished: {unreachable.Message}");
                return ExitCodes.Unavailable;
            }

            if (parsed.GetValue(json)) Console.WriteLine(Json(report));
            else Print(report);
            if (report.Equivocation is { } twice && parsed.GetValue(output) is { Length: > 0 } path) await EquivocationFile.Write(path, twice, cancellation);
            return report.Finding is null ? ExitCodes.Ok : ExitCodes.Failed;
        });
        return command;
    }

    private static async Task<AuditReport> OfFolder(string folder, TrustFile trustFile, HttpClient http, Uri? endpoint, WitnessView[] views, AuditMoments moments, CancellationToken cancellation)
    {
        if (!Directory.Exists(new DataFolder(folder).Outbox)) throw new FormatException($"'{folder}' is no data folder: it has no outbox");
        var trust = Trust(trustFile, Single(trustFile), moments);
        return await new DataFolderAudit(folder, trust, Chain(http, endpoint, trust), views, TimeProvider.System).RunAsync(cancellation);
    }

    private static async Task<AuditReport> OfHost(Uri host, TrustFile trustFile, HttpClient http, Uri? endpoint, WitnessView[] views, AuditMoments moments, CancellationToken cancellation)
    {
        var at = host.AbsoluteUri.EndsWith('/') ? host : new Uri(host.AbsoluteUri + "/");
        var api = new HttpLogFiles(http, at, FetchTimeout);
        var key = await LogKey(api, cancellation);
        var trust = Trust(trustFile, SignedNote.LogIdOf(key.PublicKey.Span), moments);
        if (!trustFile.ToPolicy().Logs.Contains(trust.LogId)) throw new FormatException($"{host} serves log {trust.LogId}, which the trust file does not name");
        return await new PublishedLogAudit(
            new HttpLogFiles(http, new Uri(at, "log/"), FetchTimeout), trust, key.PublicKey,
            (epoch, token) => api.ReadAsync($"v1/evidence/{epoch}", Evidence.MaxSize, token), Chain(http, endpoint, trust), views).RunAsync(cancellation);
    }

    // The key vouches for itself: its hash is the identity that the trust file names.
    private static async Task<VerifierKey> LogKey(HttpLogFiles api, CancellationToken cancellation)
    {
        var bytes = await api.ReadAsync("v1/log", 1 << 16, cancellation) ?? throw new LogUnreachableException($"{api.NameOf("v1/log")}: this host does not say its log's key");
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return VerifierKey.Parse(document.RootElement.GetProperty("verifierKey").GetString() ?? "");
        }
        catch (Exception malformed) when (malformed is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new LogUnreachableException($"{api.NameOf("v1/log")}: not what a host says of its log");
        }
    }

    private static AuditTrust Trust(TrustFile file, Hash256 logId, AuditMoments moments)
    {
        var policy = file.ToPolicy();
        var signatures = new NativeSignatures(AttestationShim.Load());
        return new AuditTrust
        {
            LogId = logId, ChainId = policy.ChainId, Contract = policy.Contract, Signatures = signatures, Witnesses = policy.Witnesses,
            Epochs = new AuditedEpochs(logId, policy, signatures, new EvidenceVerifier(signatures), moments.Of),
        };
    }

    private static Hash256 Single(TrustFile file) => file.ToPolicy().Logs is { Count: 1 } logs ? logs.Single() : throw new FormatException("to audit a folder, the trust file must name its one log");

    private static EvmChain? Chain(HttpClient http, Uri? endpoint, AuditTrust trust) => endpoint is null ? null : new EvmChain(new RpcClient(http, new RpcOptions { Endpoint = endpoint, Timeout = FetchTimeout, MaxResponseBytes = 64 << 20 }), trust.Contract);

    private static WitnessView View(HttpClient http, string address) => Uri.TryCreate(address, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
        ? new WitnessView(address, new HttpLogFiles(http, url, FetchTimeout))
        : throw new FormatException($"--witness: '{address}' is not an http or https address");

    private static void Print(AuditReport report)
    {
        if (report.Segments > 0) Console.WriteLine($"outbox   {report.Segments} segments, {report.Records} records ({report.OtherRecords} of kinds only checked for their checksums)");
        Console.WriteLine($"log      {report.Statements} statements, {report.Quarantined} quarantined, {report.Leaves} leaves; {report.Tiles} tiles, {report.Bundles} entry bundles, {report.Checkpoints} checkpoints, {report.Cosignatures} cosignatures");
        Console.WriteLine(report.ChainAsked ? $"chain    {report.Anchors} anchors" : "chain    not compared");
        foreach (var remark in report.Remarks) Console.WriteLine($"remark   {remark}");
        Console.WriteLine(report.Finding is { } finding ? $"WRONG    {finding}" : "everything holds");
    }

    private static string Json(AuditReport report)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteBoolean("holds", report.Finding is null);
            if (report.Finding is { } finding)
            {
                json.WriteStartObject("first");
                json.WriteString("file", finding.File);
                if (finding.Offset is { } offset) json.WriteNumber("offset", offset);
                json.WriteString("expected", finding.Expected);
                json.WriteEndObject();
            }

            foreach (var (name, value) in new (string, long)[]
            {
                ("segments", report.Segments), ("records", report.Records), ("otherRecords", report.OtherRecords), ("statements", report.Statements), ("quarantined", report.Quarantined),
                ("leaves", (long)report.Leaves), ("tiles", report.Tiles), ("bundles", report.Bundles), ("checkpoints", report.Checkpoints), ("cosignatures", report.Cosignatures), ("anchors", report.Anchors),
            }) json.WriteNumber(name, value);
            json.WriteBoolean("chainAsked", report.ChainAsked);
            json.WriteStartArray("remarks");
            foreach (var remark in report.Remarks) json.WriteStringValue(remark);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
