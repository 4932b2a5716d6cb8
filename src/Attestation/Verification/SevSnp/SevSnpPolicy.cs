using OpenGradient.Engine.Attestation.Verification.Policy;

namespace OpenGradient.Engine.Attestation.Verification.SevSnp;

/// <summary>What of this kind is accepted (docs/attestation/sev-snp.md).</summary>
public sealed record SevSnpPolicy
{
    private const int LeastPrivileged = 3;

    /// <summary>
    /// SHA-256 of the DER of each root that is trusted. The defaults are AMD's ARK-Milan, ARK-Genoa and ARK-Turin, as its key server
    /// serves them at /vcek/v1/{product}/cert_chain. Which products are accepted says <see cref="Products"/>.
    /// </summary>
    public IReadOnlyList<string> Roots { get; init; } =
    [
        "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd",
        "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1",
        "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a",
    ];

    /// <summary>
    /// Genoa and Turin. Milan is not accepted by default: software alone is reported to extract the seed of a Milan chip's keys
    /// (arXiv 2605.12990), so that its operator can claim any firmware version. Name it together with <see cref="Chips"/> of operators
    /// whom you trust.
    /// </summary>
    public IReadOnlyList<SnpProduct> Products { get; init; } = [SnpProduct.Genoa, SnpProduct.Turin];

    /// <summary>Launch measurements, 96 lower-case hexadecimal digits each. Without any, nothing is accepted, unless <see cref="AnyMeasurement"/> says so.</summary>
    public IReadOnlyList<string> Measurements { get; init; } = [];

    /// <summary>The caller compares the measurement itself. False: a genuine chip that runs anything at all proves nothing.</summary>
    public bool AnyMeasurement { get; init; }

    /// <summary>
    /// Least firmware by product, for the reported, committed and launch versions alike. The defaults close AMD-SB-3019 (microcode that
    /// the host forged, CVE-2024-56161); later bulletins ask for more. Turin has no default: its
    /// bulletins' numbers were not at hand.
    /// </summary>
    public IReadOnlyDictionary<SnpProduct, SnpTcb> MinimumTcb { get; init; } = new Dictionary<SnpProduct, SnpTcb>
    {
        [SnpProduct.Milan] = new(0, 0, 0, 0x18, 0xDB),
        [SnpProduct.Genoa] = new(0, 0, 0, 0x17, 0x54),
    };

    /// <summary>CHIP_ID of each chip that is accepted, 128 lower-case hexadecimal digits; empty: any chip. A key that names no chip is refused where there are some.</summary>
    public IReadOnlyList<string> Chips { get; init; } = [];

    /// <summary>CHIP_ID of each chip that is refused. AMD gives every VCEK the serial number 0, so a deny list by serial number cannot name one.</summary>
    public IReadOnlyList<string> DeniedChips { get; init; } = [];

    /// <summary>HOST_DATA, 64 lower-case hexadecimal digits each; empty: any. The host sets it before launch, so it binds nothing by itself.</summary>
    public IReadOnlyList<string> HostData { get; init; } = [];

    /// <summary>ID_KEY_DIGEST, 96 lower-case hexadecimal digits each; empty: any, signed identity blocks are optional.</summary>
    public IReadOnlyList<string> IdKeys { get; init; } = [];

    /// <summary>Reports by a cloud provider's key (VLEK). False: such a key names no chip, and AMD lends it to a provider for all its machines.</summary>
    public bool AllowVlek { get; init; }

    /// <summary>Providers whose VLEK is accepted ("CN=cc-us-east-2.amazonaws.com"); empty: any, where <see cref="AllowVlek"/> holds.</summary>
    public IReadOnlyList<string> Providers { get; init; } = [];

    /// <summary>Privilege levels (0 to 3) of which one must have asked for the report. 0 alone: the most privileged; a guest under an SVSM or AWS runs at another.</summary>
    public IReadOnlyList<int> Vmpl { get; init; } = [0];

    /// <summary>A guest whose memory the host may read. Never in production.</summary>
    public bool AllowDebug { get; init; }

    /// <summary>A guest that may be moved to another machine. False: who moves it would have to be verified too.</summary>
    public bool AllowMigration { get; init; }

    /// <summary>True: all clouds run with simultaneous multithreading, and AMD keeps it in scope of its guarantees.</summary>
    public bool AllowSmt { get; init; } = true;

    /// <summary>The platform must have found no aliased memory (BadRAM, AMD-SB-3015). Firmware of version 2 reports cannot say so.</summary>
    public bool RequireAliasCheck { get; init; } = true;

    /// <summary>AMD's revocation list must be there. True: without it a revoked intermediate is unseen.</summary>
    public bool RequireRevocationList { get; init; } = true;

    /// <summary>Least GUEST_SVN.</summary>
    public long MinimumGuestSvn { get; init; }

    /// <exception cref="PolicyException">A field's value is not one of its kind.</exception>
    internal static SevSnpPolicy Read(PolicyReader reader)
    {
        var @default = new SevSnpPolicy();
        return new SevSnpPolicy
        {
            Roots = reader.Hex("roots", 32, @default.Roots),
            Products = ReadProducts(reader, @default.Products),
            Measurements = reader.Hex("measurements", 48),
            AnyMeasurement = reader.Flag("anyMeasurement", @default.AnyMeasurement),
            MinimumTcb = ReadMinimum(reader, @default.MinimumTcb),
            Chips = reader.Hex("chips", 64),
            DeniedChips = reader.Hex("deniedChips", 64),
            HostData = reader.Hex("hostData", 32),
            IdKeys = reader.Hex("idKeys", 48),
            AllowVlek = reader.Flag("allowVlek", @default.AllowVlek),
            Providers = reader.Strings("providers", []),
            Vmpl = [.. reader.NumberOrNumbers("vmpl", [0], 0, LeastPrivileged).Select(level => (int)level)],
            AllowDebug = reader.Flag("allowDebug", @default.AllowDebug),
            AllowMigration = reader.Flag("allowMigration", @default.AllowMigration),
            AllowSmt = reader.Flag("allowSmt", @default.AllowSmt),
            RequireAliasCheck = reader.Flag("requireAliasCheck", @default.RequireAliasCheck),
            RequireRevocationList = reader.Flag("requireRevocationList", @default.RequireRevocationList),
            MinimumGuestSvn = reader.Number("minimumGuestSvn", @default.MinimumGuestSvn, 0, uint.MaxValue),
        };
    }

    private static IReadOnlyList<SnpProduct> ReadProducts(PolicyReader reader, IReadOnlyList<SnpProduct> @default)
    {
        if (!reader.Has("products")) return @default;
        return [.. reader.Strings("products", []).Select(name => SnpProductName.Of(name) ?? throw reader.Error("products", "may hold Milan, Genoa and Turin"))];
    }

    // A product that the file names has the file's numbers alone; the others keep their defaults.
    private static Dictionary<SnpProduct, SnpTcb> ReadMinimum(PolicyReader reader, IReadOnlyDictionary<SnpProduct, SnpTcb> @default)
    {
        var minimum = new Dictionary<SnpProduct, SnpTcb>(@default);
        if (reader.Section("minimumTcb") is not { } products) return minimum;
        foreach (var product in Enum.GetValues<SnpProduct>())
        {
            if (products.Section(product.ToString()) is not { } section) continue;
            minimum[product] = new SnpTcb(Component("fmc"), Component("bootLoader"), Component("tee"), Component("snp"), Component("microcode"));
            section.End();

            byte Component(string name) => (byte)section.Number(name, 0, 0, byte.MaxValue);
        }

        products.End();
        return minimum;
    }
}
