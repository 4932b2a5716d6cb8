using System.Collections;
using OpenGradient.Engine.Hosting.Configuration;

namespace OpenGradient.Engine.Hosting.Tests;

public sealed class TelemetryConfigurationTests
{
    [Fact]
    public void Load_NoFile_SendsNothing()
    {
        var configuration = ConfigurationLoader.Load(null, new Hashtable(), []);
        Assert.Null(configuration.Telemetry.OtlpEndpoint);
        Assert.Equal((60_000, 0.01, "http/protobuf"), (configuration.Telemetry.IntervalMs, configuration.Telemetry.TraceRatio, configuration.Telemetry.Protocol));
        Assert.Equal(0, configuration.Http.DrainDelayMs);
    }

    [Theory]
    [InlineData("telemetry.otlpEndpoint=collector:4317", "telemetry.otlpEndpoint: 'collector:4317' is not an http or https address")]
    [InlineData("telemetry.otlpEndpoint=http://collector:4318", "telemetry.otlpEndpoint: a collector outside loopback needs https")]
    [InlineData("telemetry.otlpEndpoint=https://name:word@collector:4318", "telemetry.otlpEndpoint: secrets go into")]
    [InlineData("telemetry.protocol=udp", "telemetry.protocol: 'udp'")]
    [InlineData("telemetry.intervalMs=99", "telemetry.intervalMs")]
    [InlineData("telemetry.traceRatio=1.1", "telemetry.traceRatio")]
    [InlineData("telemetry.headersFile=h", "telemetry.headersFile")]
    [InlineData("telemetry.surprise=1", "unknown key")]
    [InlineData("http.drainDelayMs=-1", "http.drainDelayMs")]
    [InlineData("http.drainDelayMs=20001", "http.drainDelayMs")]
    public void Load_WhatWouldNotWork_NamesTheKey(string setting, string expected)
    {
        var refused = Assert.Throws<ConfigurationException>(() => ConfigurationLoader.Load(null, new Hashtable(), [setting]));
        Assert.Contains(expected, refused.Message);
    }

    [Theory]
    [InlineData("http://127.0.0.1:4318")]
    [InlineData("http://[::1]:4318")]
    [InlineData("http://localhost:4318")]
    [InlineData("https://collector.example:4318")]
    public void Load_LoopbackOrTls_IsTaken(string endpoint) =>
        Assert.Equal(endpoint, ConfigurationLoader.Load(null, new Hashtable(), [$"telemetry.otlpEndpoint={endpoint}"]).Telemetry.OtlpEndpoint);

    [Fact]
    public void Load_PlainHttpOutsideLoopback_IsTakenWhereItIsSaid()
    {
        var telemetry = ConfigurationLoader.Load(null, new Hashtable(), ["telemetry.otlpEndpoint=http://collector:4318", "telemetry.allowInsecure=true", "telemetry.headersFile=h"]).Telemetry;
        Assert.True(Path.IsPathFullyQualified(telemetry.HeadersFile!));
    }
}
