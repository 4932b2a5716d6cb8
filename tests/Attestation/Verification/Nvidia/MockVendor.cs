using OpenGradient.Engine.Attestation.Tests.Verification.Nitro;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Nvidia;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nvidia;

/// <summary>A device with all that its vendor says of it: two manifests and an answer about every certificate.</summary>
internal sealed record MockVendor
{
    /// <summary>As strict as the default, over the mock's roots.</summary>
    public static readonly NvidiaPolicy Policy = new() { Roots = [MockDevice.Root.Digest], ManifestRoots = [MockManifest.Root.Digest] };

    /// <summary>Judges what is given alone, which costs fewer signatures.</summary>
    public static readonly NvidiaPolicy Waiving = Policy with { RequireManifests = false, RequireRevocation = false };

    /// <summary>Firmware 96.00.A5.00.01, driver 590.12, a decoder that is on.</summary>
    public static readonly MockDevice Device = MockDevice.Right with
    {
        Opaque = [(6, [0, 0xA5, 0, 0x96, 1, 0, 0, 0]), (3, [.. "590.12"u8, 0]), (11, [0xAA]), (20, MockDevice.FirmwareId)],
    };

    public static readonly MockManifest RightDriver = new() { Resources = [Measured(7), Measured(35), new MockResource(50, new byte[48]) { Active = "False" }] };

    public static readonly MockManifest RightFirmware = new()
    {
        Version = "96.00.a5.00.01", Resources = [Measured(0), new MockResource(9, new byte[48], MockDevice.Digest(10)), new MockResource(7, new byte[48]) { Active = "False" }],
    };

    public static readonly IReadOnlyDictionary<string, MockAnswer> RightAnswers = new Dictionary<string, MockAnswer>
    {
        ["ocsp-boot.der"] = new(MockDevice.Boot, MockDevice.Maker), ["ocsp-maker.der"] = new(MockDevice.Maker, MockDevice.Root),
        ["ocsp-signer.der"] = new(MockManifest.Leaf, MockManifest.Maker), ["ocsp-values.der"] = new(MockManifest.Maker, MockManifest.Root),
    };

    private static readonly byte[] DriverBytes = RightDriver.Bytes(), FirmwareBytes = RightFirmware.Bytes();

    private static readonly Dictionary<string, byte[]> AnswerBytes = RightAnswers.ToDictionary(answer => answer.Key, answer => answer.Value.Bytes());

    /// <summary>After everything that it is made of.</summary>
    public static MockVendor Right { get; } = new();

    public static MockVendor OnlyDriver { get; } = Right with { Firmware = null, Answers = new Dictionary<string, byte[]>() };

    /// <summary>Null: not given.</summary>
    public byte[]? Driver { get; init; } = DriverBytes;

    public byte[]? Firmware { get; init; } = FirmwareBytes;

    public IReadOnlyDictionary<string, byte[]> Answers { get; init; } = AnswerBytes;

    public static MockResource Measured(int index) => new(index, MockDevice.Digest(index + 1));

    /// <summary>With one answer more, or another in the place of one.</summary>
    public MockVendor With(string name, byte[] answer) => this with { Answers = new Dictionary<string, byte[]>(Answers) { [name] = answer } };

    public MockVendor Without(string name) => this with { Answers = Answers.Where(answer => answer.Key != name).ToDictionary(answer => answer.Key, answer => answer.Value) };

    public VerificationContext Context(NvidiaPolicy? policy = null)
    {
        var context = MockDevice.Context(policy ?? Policy);
        var collateral = new Dictionary<string, ReadOnlyMemory<byte>>(context.Collateral);
        if (Driver is { } driver) collateral[NvidiaVerifier.DriverManifestName] = driver;
        if (Firmware is { } firmware) collateral[NvidiaVerifier.FirmwareManifestName] = firmware;
        foreach (var (name, answer) in Answers) collateral[name] = answer;
        return context with { Collateral = collateral };
    }

    public AttestationResult Verify(NvidiaPolicy? policy = null, MockDevice? device = null) => NvidiaVerifier.Verify((device ?? Device).Report(), Context(policy));
}
