using System.Text;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Settlement;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace OpenGradient.Engine.Host.Telemetry;

/// <summary>Sends the meters and spans of this process to an OTLP collector. Disposal sends what is left.</summary>
internal sealed class OtlpExport : IDisposable
{
    // A collector that does not answer must not hold up a stop; the last interval's figures are then lost.
    private const int FlushMilliseconds = 3_000;

    private readonly MeterProvider _metrics;
    private readonly TracerProvider _traces;

    private OtlpExport(TelemetryConfiguration telemetry, string headers)
    {
        var resource = ResourceBuilder.CreateEmpty().AddService("opengradient.engine", serviceVersion: BuildInfo.Version).AddTelemetrySdk().AddEnvironmentVariableDetector();
        _metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(EngineTelemetry.MeterName, SettlementTelemetry.MeterName)
            .AddOtlpExporter((options, reader) =>
            {
                Configure(options, telemetry, headers, "metrics");
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)telemetry.IntervalMs;
            })
            .Build();
        _traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            // The server's span is the parent of the engine's; its parent is the caller's, from the traceparent header.
            .AddSource(EngineTelemetry.ActivitySourceName, "Microsoft.AspNetCore")
            .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(telemetry.TraceRatio)))
            .AddOtlpExporter(options => Configure(options, telemetry, headers, "traces"))
            .Build();
    }

    /// <summary>Null when the configuration names no collector.</summary>
    /// <exception cref="ConfigurationException">The headers' file holds no headers.</exception>
    /// <exception cref="AttestationException">The headers' file cannot be read, or others have access to it.</exception>
    public static OtlpExport? Start(HostConfiguration configuration)
    {
        var telemetry = configuration.Telemetry;
        if (telemetry.OtlpEndpoint is null) return null;
        var headers = telemetry.HeadersFile is { } file ? ReadHeaders(AttestationShim.Load(configuration.Attestation.Library), file) : "";
        return new OtlpExport(telemetry, headers);
    }

    public void Dispose()
    {
        _traces.Shutdown(FlushMilliseconds);
        _metrics.Shutdown(FlushMilliseconds);
        _traces.Dispose();
        _metrics.Dispose();
    }

    private static void Configure(OtlpExporterOptions options, TelemetryConfiguration telemetry, string headers, string signal)
    {
        var isGrpc = telemetry.Protocol == "grpc";
        options.Protocol = isGrpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        options.Endpoint = isGrpc ? new Uri(telemetry.OtlpEndpoint!) : new Uri($"{telemetry.OtlpEndpoint!.TrimEnd('/')}/v1/{signal}");
        options.Headers = headers;
    }

    /// <summary>The exporter takes headers as one text, percent-encoded, so that values may hold what separates them.</summary>
    private static string ReadHeaders(AttestationShim shim, string file)
    {
        var headers = new List<string>();
        foreach (var line in Encoding.UTF8.GetString(SecretFile.Read(shim, file)).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (line[0] == '#') continue;
            var colon = line.IndexOf(':');
            // The line itself is not shown: it may be the token.
            if (colon < 1) throw new ConfigurationException([$"telemetry.headersFile '{file}': entry {headers.Count + 1} is not 'name: value'"]);
            headers.Add($"{line[..colon].Trim()}={Uri.EscapeDataString(line[(colon + 1)..].Trim())}");
        }

        return headers.Count > 0 ? string.Join(',', headers) : throw new ConfigurationException([$"telemetry.headersFile '{file}' holds no header"]);
    }
}
