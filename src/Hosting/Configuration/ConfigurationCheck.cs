using System.Net;

namespace OpenGradient.Engine.Hosting.Configuration;

/// <summary>Finds everything that would not work, before anything is started.</summary>
public static class ConfigurationCheck
{

    public static IReadOnlyList<string> Errors(HostConfiguration configuration)
    {
        var errors = new List<string>();
        void Require(bool holds, string error)
        {
            if (!holds) errors.Add(error);
        }

        Require(configuration.Version == ConfigurationLoader.NewestVersion, $"version: {configuration.Version} is not a version this build reads");
        Require(configuration.Data.Length > 0, "data: a folder is needed");
        CheckListener(configuration.Http, errors);
        if (configuration.OperatorListen is { } operatorListen)
        {
            var address = Address(operatorListen);
            Require(address is not null, $"operatorListen: '{operatorListen}' is not an http address");
            Require(address is null || (IsLoopback(address) && address.Scheme == "http"), "operatorListen: operator endpoints listen on loopback only, as http");
            // The two are told apart by port: on the same one, whoever reaches the public address would reach the operator's endpoints.
            Require(address is null || address.Port == 0 || Address(configuration.Http.Listen)?.Port != address.Port, "operatorListen: another port than http.listen");
        }

        for (var i = 0; i < configuration.Models.Count; i++) CheckModel(configuration.Models[i], $"models[{i}]", errors);
        LanguageModelConfiguration.Check(configuration, errors);
        Require(configuration.OnnxRuntime.Provider is "cpu" or "cuda", $"onnxRuntime.provider: '{configuration.OnnxRuntime.Provider}' is neither cpu nor cuda");
        Require(configuration.OnnxRuntime.Workers is >= 0 and <= 64, "onnxRuntime.workers: between 0 and 64");
        TorchConfiguration.Check(configuration, errors);
        AttestationConfigurationCheck.Check(configuration.Attestation, errors);
        RotationConfiguration.Check(configuration.Attestation.Rotation, errors);
        if (configuration.Chain is { } chain) ChainConfigurationCheck.Check(chain, configuration.Roles.Contains("settler"), errors);
        configuration.Settlement.Check(configuration.TrustGap, errors);
        configuration.TrustGap.Check(errors);
        AuditConfiguration.Check(configuration.Audit, errors);
        StorageConfiguration.Check(configuration.Storage, errors);
        TelemetryConfiguration.Check(configuration.Telemetry, errors);
        LogConfiguration.Check(configuration.Log, errors);
        OutboxConfiguration.Check(configuration, errors);
        return errors;
    }

    /// <summary>The address of a listener, or null when it is not an http or https one.</summary>
    public static Uri? Address(string listen) =>
        Uri.TryCreate(listen, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" ? uri : null;

    public static bool IsLoopback(Uri address) =>
        address.Host == "localhost" || (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));

    private static void CheckListener(ListenerConfiguration http, List<string> errors)
    {
        var address = Address(http.Listen);
        if (address is null)
        {
            errors.Add($"http.listen: '{http.Listen}' is not an http or https address");
            return;
        }

        if (address.Host != "localhost" && !IPAddress.TryParse(address.Host.Trim('[', ']'), out _)) errors.Add($"http.listen: '{address.Host}' is neither localhost nor an IP address");
        var tls = http.TlsCertificateFile is not null && http.TlsKeyFile is not null;
        if (http.TlsCertificateFile is null != http.TlsKeyFile is null) errors.Add("http.tlsCertificateFile and http.tlsKeyFile: both or neither");
        if (address.Scheme == "https" && !tls) errors.Add("http.listen: https needs http.tlsCertificateFile and http.tlsKeyFile");
        if (address.Scheme == "http" && tls) errors.Add("http.listen: a certificate is given, but the address is not https");
        if (!IsLoopback(address) && !http.AllowInsecure)
        {
            if (http.ApiKeysFile is null) errors.Add("http.apiKeysFile: a listener outside loopback needs API keys (or http.allowInsecure)");
            if (!tls) errors.Add("http.tlsCertificateFile: a listener outside loopback needs TLS (or http.allowInsecure)");
        }

        if (http.AllowedHosts.Count == 0) errors.Add("http.allowedHosts: at least one");
        if (http.MaxBodyBytes is < 1024 or > int.MaxValue) errors.Add("http.maxBodyBytes: between 1,024 and 2,147,483,647");
        if (http.KeepAnswers is not ("disk" or "memory")) errors.Add($"http.keepAnswers: '{http.KeepAnswers}' is neither disk nor memory");
        // A stop has 60 s in all, of which what was admitted may need 30.
        if (http.DrainDelayMs is not (>= 0 and <= 20_000)) errors.Add("http.drainDelayMs: between 0 and 20,000");
        if (http.RequestsPerMinutePerKey < 0) errors.Add("http.requestsPerMinutePerKey: not negative");
    }

    private static void CheckModel(ModelConfiguration model, string key, List<string> errors)
    {
        if (model.Path.Length == 0) errors.Add($"{key}.path: a folder or a model's file is needed");
        if (model.MaxBatch is < 1 or > 65_535) errors.Add($"{key}.maxBatch: between 1 and 65,535");
        if (model.MaxQueuedRequests is < 1 or > 1_000_000) errors.Add($"{key}.maxQueuedRequests: between 1 and 1,000,000");
        if (model.MaxQueueDelayMs is < 0 or > 10_000) errors.Add($"{key}.maxQueueDelayMs: between 0 and 10,000");
        if (model.IntraOpThreads is < 1 or > 256) errors.Add($"{key}.intraOpThreads: between 1 and 256");
        if (model.Workers is < 1 or > 64) errors.Add($"{key}.workers: between 1 and 64");
        if (model.MaxBytes < 1) errors.Add($"{key}.maxBytes: 1 or more");
        if (model.Determinism is not (null or "A" or "B" or "C" or "U")) errors.Add($"{key}.determinism: A, B, C or U; null to have the model probed");
        if (model.PaddingMultiple is < 1 or > 65_535) errors.Add($"{key}.paddingMultiple: between 1 and 65,535");
        if (model.MinimumRows is < 1 or > 65_535) errors.Add($"{key}.minimumRows: between 1 and 65,535");
        if (model.ProbeBudgetMs is < 0 or > 3_600_000) errors.Add($"{key}.probeBudgetMs: between 0 and 3,600,000");
        if (model.RecheckOneIn < 0) errors.Add($"{key}.recheckOneIn: not negative");
        if (model.BatchAcrossCallers is not ("auto" or "always")) errors.Add($"{key}.batchAcrossCallers: '{model.BatchAcrossCallers}' is neither auto nor always");
        if (model.ExecutionTimeoutMs is <= 0 or > 3_600_000) errors.Add($"{key}.executionTimeoutMs: between 0 and 3,600,000");
        if (model.TerminationGraceMs is <= 0 or > 3_600_000) errors.Add($"{key}.terminationGraceMs: between 0 and 3,600,000");
        if (model.MaxHungCalls is < 0 or > 64) errors.Add($"{key}.maxHungCalls: between 0 and 64");
        if (model.RunInline is not ("auto" or "never" or "always")) errors.Add($"{key}.runInline: '{model.RunInline}' is neither auto, never nor always");
        if (model.Queue.CallerShare is not (> 0 and <= 1)) errors.Add($"{key}.queue.callerShare: above 0, to 1");
        if (model.Queue.High is { } high) CheckPolicy(high, $"{key}.queue.high", errors);
        if (model.Queue.Normal is { } normal) CheckPolicy(normal, $"{key}.queue.normal", errors);
        if (model.Queue.Low is not { } low) return;
        CheckPolicy(low, $"{key}.queue.low", errors);
        if (low.OnTimeout == "downgrade") errors.Add($"{key}.queue.low.onTimeout: there is no lower priority to go to");
    }

    private static void CheckPolicy(QueuePolicyConfiguration policy, string key, List<string> errors)
    {
        if (policy.MaxQueuedRequests is < 1 or > 1_000_000) errors.Add($"{key}.maxQueuedRequests: between 1 and 1,000,000");
        if (policy.TimeoutMs is not (null or (> 0 and <= 86_400_000))) errors.Add($"{key}.timeoutMs: above 0, to 86,400,000");
        if (policy.OnTimeout is not (null or "reject" or "downgrade")) errors.Add($"{key}.onTimeout: '{policy.OnTimeout}' is neither reject nor downgrade");
        if (policy is { OnTimeout: "downgrade", TimeoutMs: null }) errors.Add($"{key}.onTimeout: downgrade needs {key}.timeoutMs");
    }
}
