namespace OpenGradient.Engine.Hosting.Configuration;

/// <summary>Where metrics and spans are sent (docs/operations.md, "Metrics"). Nothing is sent unless an endpoint is named.</summary>
public sealed record TelemetryConfiguration
{
    /// <summary>Base address of an OTLP collector, for example <c>http://127.0.0.1:4318</c>. Null: nothing is sent.</summary>
    public string? OtlpEndpoint { get; init; }

    /// <summary><c>http/protobuf</c> or <c>grpc</c>. The former by default: every collector and proxy takes it.</summary>
    public string Protocol { get; init; } = "http/protobuf";

    /// <summary>File with headers to send, <c>name: value</c> each on a line of its own; a secret file, for it usually holds a token.</summary>
    public string? HeadersFile { get; init; }

    /// <summary>Says that a collector outside loopback may be reached without TLS.</summary>
    public bool AllowInsecure { get; init; }

    /// <summary>How often metrics are sent. A minute by default, as the specification has it.</summary>
    public double IntervalMs { get; init; } = 60_000;

    /// <summary>Share of requests that get spans, 0 to 1, where their caller's trace does not say. A hundredth by default: six spans cost more than a small inference.</summary>
    public double TraceRatio { get; init; } = 0.01;

    internal static void Check(TelemetryConfiguration telemetry, List<string> errors)
    {
        if (telemetry.Protocol is not ("http/protobuf" or "grpc")) errors.Add($"telemetry.protocol: '{telemetry.Protocol}' is neither http/protobuf nor grpc");
        if (telemetry.IntervalMs is not (>= 100 and <= 3_600_000)) errors.Add("telemetry.intervalMs: between 100 and 3,600,000");
        if (telemetry.TraceRatio is not (>= 0 and <= 1)) errors.Add("telemetry.traceRatio: between 0 and 1");
        if (telemetry.OtlpEndpoint is not { } endpoint)
        {
            if (telemetry.HeadersFile is not null) errors.Add("telemetry.headersFile: without telemetry.otlpEndpoint nothing is sent");
            return;
        }

        if (ConfigurationCheck.Address(endpoint) is not { } address) errors.Add($"telemetry.otlpEndpoint: '{endpoint}' is not an http or https address");
        else if (address.UserInfo.Length > 0) errors.Add("telemetry.otlpEndpoint: secrets go into telemetry.headersFile, not into the address");
        else if (address.Scheme == "http" && !ConfigurationCheck.IsLoopback(address) && !telemetry.AllowInsecure)
            errors.Add("telemetry.otlpEndpoint: a collector outside loopback needs https (or telemetry.allowInsecure)");
    }
}
