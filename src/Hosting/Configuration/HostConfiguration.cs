namespace OpenGradient.Engine.Hosting.Configuration;

/// <summary>Everything an operator can set (docs/configuration.md). Immutable once read; secrets are named by file, never written here.</summary>
public sealed record HostConfiguration
{
    /// <summary>The version of this schema that the file was written for; a newer one is refused.</summary>
    public int Version { get; init; } = 1;

    /// <summary>Folder of outbox, log, keys. Relative paths in this file are relative to the file.</summary>
    public string Data { get; init; } = "data";

    public ListenerConfiguration Http { get; init; } = new();

    /// <summary>Operator endpoints (metrics, drain) have a listener of their own; null switches them off.</summary>
    public string? OperatorListen { get; init; } = "http://127.0.0.1:8081";

    public IReadOnlyList<ModelConfiguration> Models { get; init; } = [];

    /// <summary>A folder of model folders that may be loaded while the host runs, besides <see cref="Models"/>; null for none.</summary>
    public string? ModelsFolder { get; init; }

    /// <summary>Text generation (docs/language-models.md).</summary>
    public IReadOnlyList<LanguageModelConfiguration> LanguageModels { get; init; } = [];
    public KernelsConfiguration Kernels { get; init; } = new();
    public OnnxRuntimeConfiguration OnnxRuntime { get; init; } = new();
    public TorchConfiguration Torch { get; init; } = new();
    public AttestationConfiguration Attestation { get; init; } = new();

    /// <summary>Null runs without settlement: receipts are signed promises that nobody keeps. For trying out and benchmarks.</summary>
    public ChainConfiguration? Chain { get; init; }
    public SettlementConfiguration Settlement { get; init; } = new();
    public TrustGapConfiguration TrustGap { get; init; } = new();
    public AuditConfiguration Audit { get; init; } = new();
    public LogConfiguration Log { get; init; } = new();
    public StorageConfiguration Storage { get; init; } = new();
    public TelemetryConfiguration Telemetry { get; init; } = new();
    public OutboxConfiguration Outbox { get; init; } = new();

    /// <summary>What this process does: any of <c>engine</c>, <c>verifier</c>, <c>settler</c>. All by default: one process needs nobody else.</summary>
    public IReadOnlyList<string> Roles { get; init; } = ["engine", "verifier", "settler"];
}

public sealed record ListenerConfiguration
{
    /// <summary>Loopback by default: anything else needs API keys and TLS, or says that it goes without.</summary>
    public string Listen { get; init; } = "http://127.0.0.1:8080";

    /// <summary>Host headers that are answered; others get 400.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = ["localhost", "127.0.0.1", "[::1]"];

    /// <summary>One key per line, or SHA-256 of a key as <c>sha256:…</c>; lines that begin with # are comments.</summary>
    public string? ApiKeysFile { get; init; }

    /// <summary>Requests per minute for one key; 0 for no limit.</summary>
    public int RequestsPerMinutePerKey { get; init; }

    /// <summary>Whether the live page, the public log, the evidence and leaf proofs need no API key: they are made for people without one.</summary>
    public bool PublicViews { get; init; } = true;
    public string? TlsCertificateFile { get; init; }
    public string? TlsKeyFile { get; init; }

    /// <summary>Says that a listener outside loopback may go without API keys or TLS, for example behind a proxy that has both.</summary>
    public bool AllowInsecure { get; init; }

    /// <summary>Largest request body, checked before it is read.</summary>
    public long MaxBodyBytes { get; init; } = 16 << 20;

    /// <summary>Where answers stay whose release took longer than their caller waited: <c>disk</c>, in the data folder, or <c>memory</c>.</summary>
    public string KeepAnswers { get; init; } = "disk";

    /// <summary>From the signal to stop until nothing more is admitted; readiness is false from its beginning. 0: at once.</summary>
    public double DrainDelayMs { get; init; }
}

public sealed record ModelConfiguration
{
    /// <summary>A folder with <c>model.json</c>, or a model's file (ONNX or TorchScript).</summary>
    public string Path { get; init; } = "";

    /// <summary><c>onnxRuntime</c> or <c>torch</c>: refuses a file that the other one executes. Null: the file's format decides.</summary>
    public string? Backend { get; init; }

    /// <summary>Overrides the name in <c>model.json</c>.</summary>
    public string? Name { get; init; }
    public string? ModelVersion { get; init; }

    /// <summary>Most rows in one backend call; null takes the model's own figure, or 64.</summary>
    public int? MaxBatch { get; init; }

    /// <summary>How long a batch waits for more rows; 0 takes what is there.</summary>
    public double MaxQueueDelayMs { get; init; }

    /// <summary>Requests that may wait; more are refused with advice.</summary>
    public int MaxQueuedRequests { get; init; } = 4096;

    /// <summary>How requests that wait share the model.</summary>
    public QueueConfiguration Queue { get; init; } = new();

    /// <summary>True refuses inputs that hold NaN.</summary>
    public bool RejectNaN { get; init; }

    /// <summary>A backend call that takes longer is terminated.</summary>
    public double ExecutionTimeoutMs { get; init; } = 30_000;

    /// <summary>A terminated call that goes on for longer than this is given up.</summary>
    public double TerminationGraceMs { get; init; } = 5_000;

    /// <summary>Given-up calls before the model refuses requests; null for as many as workers.</summary>
    public int? MaxHungCalls { get; init; }

    /// <summary>Whether an idle model executes on the thread that asks: <c>auto</c>, <c>never</c> or <c>always</c>.</summary>
    public string RunInline { get; init; } = "auto";

    /// <summary>Threads inside one backend call; more than 1 is the latency mode.</summary>
    public int IntraOpThreads { get; init; } = 1;

    /// <summary>Concurrent backend calls; null for <c>onnxRuntime.workers</c>, or with several threads per call for as many as the cores hold.</summary>
    public int? Workers { get; init; }

    /// <summary>Whether calls with several threads may add up to more threads than cores.</summary>
    public bool AllowOversubscription { get; init; }

    /// <summary>Most bytes of all the model's files.</summary>
    public long MaxBytes { get; init; } = 16L << 30;

    /// <summary>The determinism class, <c>A</c>, <c>B</c>, <c>C</c> or <c>U</c>, on the operator's word; null has the model probed at load.</summary>
    public string? Determinism { get; init; }

    /// <summary>Calls execute a multiple of so many rows; the probe raises it where a model needs it.</summary>
    public int PaddingMultiple { get; init; } = 1;

    /// <summary>Calls execute at least so many rows; the probe raises it where a model needs it.</summary>
    public int MinimumRows { get; init; } = 1;

    /// <summary>What probing may take; 0 switches it off.</summary>
    public double ProbeBudgetMs { get; init; } = 2000;

    /// <summary>About one row in so many is executed again and compared; 0 for none.</summary>
    public int RecheckOneIn { get; init; } = 1000;

    /// <summary><c>auto</c> keeps callers of a model whose answers depend on neighbours apart; <c>always</c> does not.</summary>
    public string BatchAcrossCallers { get; init; } = "auto";
}

public sealed record QueueConfiguration
{
    /// <summary>Part of the queue that one caller (API key) may hold.</summary>
    public double CallerShare { get; init; } = 0.5;

    /// <summary>Null for a priority without a policy of its own.</summary>
    public QueuePolicyConfiguration? High { get; init; }
    public QueuePolicyConfiguration? Normal { get; init; }
    public QueuePolicyConfiguration? Low { get; init; }
}

public sealed record QueuePolicyConfiguration
{
    /// <summary>Requests of this priority that may wait; null for the model's limit alone.</summary>
    public int? MaxQueuedRequests { get; init; }

    /// <summary>How long a request without a timeout of its own may wait at this priority; null for no limit.</summary>
    public double? TimeoutMs { get; init; }

    /// <summary><c>reject</c>, which null means, or <c>downgrade</c>.</summary>
    public string? OnTimeout { get; init; }
}

public sealed record OnnxRuntimeConfiguration
{
    /// <summary>Path of the library; null looks in the documented places.</summary>
    public string? Library { get; init; }

    /// <summary><c>cpu</c> or <c>cuda</c>.</summary>
    public string Provider { get; init; } = "cpu";

    /// <summary>Whether the CPU may serve where CUDA was asked for and is absent.</summary>
    public bool AllowCpuFallback { get; init; }

    /// <summary>Concurrent backend calls per model; 0 for one per core, or 2 on a GPU.</summary>
    public int Workers { get; init; }
}

public sealed record AttestationConfiguration
{
    /// <summary>Path of libog_attest.so; null looks in the documented places.</summary>
    public string? Library { get; init; }

    /// <summary><c>nitro</c>, <c>sev-snp</c>, <c>tdx</c> or <c>tpm</c>; <c>software</c> is for development and is labelled untrusted everywhere.</summary>
    public string Attester { get; init; } = "software";

    /// <summary>A TPM that is not /dev/tpmrm0: a device's path, or a TCTI's name.</summary>
    public string? Tpm { get; init; }

    /// <summary>File of the policy by which this host judges its own evidence; needed by every attester but <c>software</c>.</summary>
    public string? Policy { get; init; }

    /// <summary>Folder, or file, with the vendor's certificates, lists and identities.</summary>
    public string? Collateral { get; init; }

    /// <summary>When the signing key is replaced while the host runs.</summary>
    public RotationConfiguration Rotation { get; init; } = new();
}

public sealed record ChainConfiguration
{
    public string Rpc { get; init; } = "http://127.0.0.1:8545";
    public ulong Id { get; init; }
    public string Contract { get; init; } = "";

    /// <summary>File with the account that pays for anchors: a Web3 keystore, or a bare key on a development chain. Read by the settler alone.</summary>
    public string TransactionKeyFile { get; init; } = "";

    /// <summary>File with the keystore's password.</summary>
    public string? TransactionKeyPasswordFile { get; init; }

    /// <summary>A signer that holds the paying account's key, instead of a key file.</summary>
    public RemoteSignerConfiguration? RemoteSigner { get; init; }

    /// <summary>Blocks, the anchor's own included, that make it final; null uses the chain's tag.</summary>
    public ulong? FinalityDepth { get; init; }

    /// <summary>Which tag, where no depth is given: <c>finalized</c> or <c>safe</c>.</summary>
    public string FinalityTag { get; init; } = "finalized";

    /// <summary>Says that this is a development chain: bare keys are accepted and the trust file says so.</summary>
    public bool Development { get; init; }

    public double MaxFeePerGasGwei { get; init; } = 200;

    /// <summary>The tip that is offered first.</summary>
    public double PriorityFeeGwei { get; init; } = 1;

    /// <summary>Ether (the chain's coin) that may be spent in any 24 hours; null for no limit.</summary>
    public decimal? MaxSpendPerDay { get; init; }
}

/// <summary>A signer that answers as Web3Signer does (<c>POST /api/v1/eth1/sign/…</c>).</summary>
public sealed record RemoteSignerConfiguration
{
    /// <summary>Its address, without a path; https outside loopback.</summary>
    public string Url { get; init; } = "";

    /// <summary>The key's public half: 0x and 128 hexadecimal digits, x and y.</summary>
    public string PublicKey { get; init; } = "";

    public double TimeoutMs { get; init; } = 5_000;
}
