using System.Text;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Hosting.Auditing;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.LanguageModels;
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

    private OtlpExport(TelemetryConfiguration telemetry, IReadOnlyList<(string Name, string Value)> headers)
    {
        var resource = ResourceBuilder.CreateEmpty().AddService("opengradient.engine", serviceVersion: BuildInfo.Version).AddTelemetrySdk().AddEnvironmentVariableDetector();
        _metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(EngineTelemetry.MeterName, SettlementTelemetry.MeterName, AuditTelemetry.MeterName, LanguageModelTelemetry.MeterName)
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
        var headers = telemetry.HeadersFile is { } file ? ReadHeaders(AttestationShim.Load(configuration.Attestation.Library), file) : [];
        return new OtlpExport(telemetry, headers);
    }

    public void Dispose()
    {
        _traces.Shutdown(FlushMilliseconds);
        _metrics.Shutdown(FlushMilliseconds);
        _traces.Dispose();
        _metrics.Dispose();
    }

    private static void Configure(OtlpExporterOptions options, TelemetryConfiguration telemetry, IReadOnlyList<(string Name, string Value)> headers, string signal)
    {
        var isGrpc = telemetry.Protocol == "grpc";
        options.Protocol = isGrpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        options.Endpoint = isGrpc ? new Uri(telemetry.OtlpEndpoint!) : new Uri($"{telemetry.OtlpEndpoint!.TrimEnd('/')}/v1/{signal}");
        // Not the option for headers: it takes one text, and cuts values at their commas.
        options.HttpClientFactory = () =>
        {
            var client = new HttpClient { Timeout = TimeSpan.FromMilliseconds(options.TimeoutMilliseconds) };
            foreach (var (name, value) in headers) client.DefaultRequestHeaders.TryAddWithoutValidation(name, value);
            return client;
        };
    }

    private static List<(string Name, string Value)> ReadHeaders(AttestationShim shim, string file)
    {
        var headers = new List<(string, string)>();
        using var probe = new HttpRequestMessage();
        foreach (var line in Encoding.UTF8.GetString(SecretFile.Read(shim, file)).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (line[0] == '#') continue;
            var colon = line.IndexOf(':');
            var (name, value) = colon < 1 ? ("", "") : (line[..colon].Trim(), line[(colon + 1)..].Trim());
            // The line itself is not shown: it may be the token.
            if (name.Length == 0 || !probe.Headers.TryAddWithoutValidation(name, value))
                throw new ConfigurationException([$"telemetry.headersFile '{file}': entry {headers.Count + 1} is not 'name: value'"]);
            headers.Add((name, value));
        }

        return headers.Count > 0 ? headers : throw new ConfigurationException([$"telemetry.headersFile '{file}' holds no header"]);
    }
}
