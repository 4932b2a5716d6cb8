using System.Text.Json;

namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>A level of an enclave or a module: from this number on, this state.</summary>
internal sealed record SvnLevel(int Svn, TdxTcbStatus Status, IReadOnlyList<string> Advisories)
{
    private static SvnLevel Read(JsonElement level) => new(
        CollateralJson.Number(level.GetProperty("tcb"), "isvsvn", ushort.MaxValue), CollateralJson.Status(level), CollateralJson.Advisories(level));

    /// <summary>The levels of an enclave or a module, from the highest number down.</summary>
    public static List<SvnLevel> ReadAll(JsonElement parent) => CollateralJson.Levels(parent, Read, (one, other) => one.Svn.CompareTo(other.Svn));

    /// <summary>The first that the number reaches; null: it is below every level.</summary>
    public static SvnLevel? Match(IReadOnlyList<SvnLevel> levels, int svn)
    {
        foreach (var level in levels)
        {
            if (svn >= level.Svn) return level;
        }

        return null;
    }
}

/// <summary>A level of a platform.</summary>
/// <param name="Sgx">16 numbers.</param>
/// <param name="Tdx">16 numbers.</param>
internal sealed record PlatformLevel(byte[] Sgx, int PceSvn, byte[] Tdx, TdxTcbStatus Status, IReadOnlyList<string> Advisories)
{
    private const int Components = 16;

    /// <summary>The platform's levels, from the highest down: by the SGX components from the first on, then PCESVN, then the TDX components.</summary>
    public static List<PlatformLevel> ReadAll(JsonElement parent) => CollateralJson.Levels(parent, Read, Compare);

    private static int Compare(PlatformLevel one, PlatformLevel other)
    {
        var sgx = one.Sgx.AsSpan().SequenceCompareTo(other.Sgx);
        if (sgx != 0) return sgx;
        return one.PceSvn != other.PceSvn ? one.PceSvn.CompareTo(other.PceSvn) : one.Tdx.AsSpan().SequenceCompareTo(other.Tdx);
    }

    private static PlatformLevel Read(JsonElement level)
    {
        var tcb = level.GetProperty("tcb");
        return new PlatformLevel(
            Numbers(tcb, "sgxtcbcomponents"), CollateralJson.Number(tcb, "pcesvn", ushort.MaxValue), Numbers(tcb, "tdxtcbcomponents"),
            CollateralJson.Status(level), CollateralJson.Advisories(level));
    }

    private static byte[] Numbers(JsonElement tcb, string name)
    {
        byte[] numbers = [.. CollateralJson.List(tcb, name, component => (byte)CollateralJson.Number(component, "svn", byte.MaxValue))];
        return numbers.Length == Components ? numbers : throw new FormatException($"{name} has {numbers.Length} entries, not {Components}");
    }
}

/// <summary>Who a TDX module is.</summary>
/// <param name="Id">"TDX_" and the module's major version in two hexadecimal letters; empty for modules without a version.</param>
/// <param name="Signer">48 bytes.</param>
/// <param name="Attributes">8 bytes, as they are under the mask.</param>
/// <param name="Mask">8 bytes.</param>
internal sealed record ModuleIdentity(string Id, byte[] Signer, byte[] Attributes, byte[] Mask, IReadOnlyList<SvnLevel> Levels)
{
    public static ModuleIdentity Plain(JsonElement module) => new(
        "", CollateralJson.Hex(module, "mrsigner", 48), CollateralJson.Hex(module, "attributes", 8), CollateralJson.Hex(module, "attributesMask", 8), []);

    public static ModuleIdentity Versioned(JsonElement module) => Plain(module) with
    {
        Id = CollateralJson.Text(module, "id").ToUpperInvariant(), Levels = SvnLevel.ReadAll(module),
    };
}

/// <summary>Intel's TCB info for TDX, version 3.</summary>
internal sealed record TcbInfo
{
    public required DateTimeOffset IssueDate { get; init; }

    public required DateTimeOffset NextUpdate { get; init; }

    public required byte[] Fmspc { get; init; }

    public required byte[] PceId { get; init; }

    public required int EvaluationNumber { get; init; }

    /// <summary>For modules whose version is 0.</summary>
    public required ModuleIdentity Module { get; init; }

    public required IReadOnlyList<ModuleIdentity> Modules { get; init; }

    /// <summary>From the highest down: the first that matches holds.</summary>
    public required IReadOnlyList<PlatformLevel> Levels { get; init; }

    /// <exception cref="FormatException">Or another of <see cref="CollateralJson"/>'s.</exception>
    public static TcbInfo Read(ReadOnlyMemory<byte> json)
    {
        using var document = CollateralJson.Parse(json);
        var root = document.RootElement;
        if (CollateralJson.Text(root, "id") != "TDX") throw new FormatException("not for TDX");
        if (CollateralJson.Number(root, "version", int.MaxValue) != 3) throw new FormatException("not version 3");
        if (CollateralJson.Number(root, "tcbType", int.MaxValue) != 0) throw new FormatException("a tcbType other than 0");
        List<ModuleIdentity> modules = root.TryGetProperty("tdxModuleIdentities", out _)
            ? CollateralJson.List(root, "tdxModuleIdentities", ModuleIdentity.Versioned)
            : [];
        if (modules.DistinctBy(module => module.Id).Count() != modules.Count) throw new FormatException("one module has two identities");
        return new TcbInfo
        {
            IssueDate = CollateralJson.Time(root, "issueDate"), NextUpdate = CollateralJson.Time(root, "nextUpdate"),
            Fmspc = CollateralJson.Hex(root, "fmspc", 6), PceId = CollateralJson.Hex(root, "pceId", 2),
            EvaluationNumber = CollateralJson.Number(root, "tcbEvaluationDataNumber", int.MaxValue),
            Module = ModuleIdentity.Plain(root.GetProperty("tdxModule")), Modules = modules,
            Levels = PlatformLevel.ReadAll(root),
        };
    }

    /// <summary>The identity of the module with this major version; null where there is none.</summary>
    public ModuleIdentity? For(byte version) => version == 0 ? Module : Modules.FirstOrDefault(module => module.Id == $"TDX_{version:X2}");
}
