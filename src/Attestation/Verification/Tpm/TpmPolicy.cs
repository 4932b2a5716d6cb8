using OpenGradient.Engine.Attestation.Verification.Policy;

namespace OpenGradient.Engine.Attestation.Verification.Tpm;

/// <summary>What of this kind is accepted.</summary>
public sealed record TpmPolicy
{
    private const int DigestSize = 32, NameSize = 34, FirmwareSize = 8, Registers24 = 24;

    /// <summary>
    /// SHA-256 of the DER of each root that endorsement keys may lead to. The default: self-signed roots of makers of TPMs, computed from
    /// the certificates that keylime ships (tpm_cert_store at ed846c02: INF_RSA_010RT, INF_ECC_010RT, GS_TPM_RT (STMicroelectronics),
    /// INTEL_RT, NUVO_1110, NUVO_1111, NUVO_2110, NUVO_2111, NUVO_0100). A software TPM's root is never among them.
    /// </summary>
    public IReadOnlyList<string> Roots { get; init; } = VendorRoots;

    /// <summary>Names (000b ‖ SHA-256 of TPMT_PUBLIC) of attestation keys that proved by credential activation to live in the TPM of their endorsement key.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>SHA-256 of the SubjectPublicKeyInfo of keys that other evidence vouches for, as a paravisor's runtime data does through an SNP report.</summary>
    public IReadOnlyList<string> VouchedKeys { get; init; } = [];

    /// <summary>An endorsement certificate must be there and lead to a root. True: without it anybody's software is a TPM. Vouched keys need none.</summary>
    public bool RequireEndorsement { get; init; } = true;

    /// <summary>Exactly these registers of the SHA-256 bank. 0 to 7 are what firmware and secure boot measure on every platform.</summary>
    public IReadOnlyList<int> Selection { get; init; } = [0, 1, 2, 3, 4, 5, 6, 7];

    /// <summary>Reference values by register; at least one register must have some. A selected register without any is only a claim.</summary>
    public IReadOnlyDictionary<int, IReadOnlyList<string>> Registers { get; init; } = new Dictionary<int, IReadOnlyList<string>>();

    /// <summary>Reference values of all zeros count. False: nothing was measured into such a register.</summary>
    public bool AllowEmptyRegisters { get; init; }

    /// <summary>An event log must be there. False: reference values say what is accepted, a log only explains them.</summary>
    public bool RequireEventLog { get; init; }

    /// <summary>Firmware versions as the quote states them, 8 bytes; empty: any, as vendors give the field no common meaning.</summary>
    public IReadOnlyList<string> Firmware { get; init; } = [];

    /// <summary>The TPM's count of resets never falls; a caller that saw one asks for at least that. 0: none was seen.</summary>
    public long MinimumResetCount { get; init; }

    /// <summary>Without a nonce a quote is unverifiable. True: a quote states no wall time, so nothing else bounds its age.</summary>
    public bool RequireNonce { get; init; } = true;

    private static IReadOnlyList<string> VendorRoots { get; } =
    [
        "899e35474c9807eb4c7f2f7a12da0028fb250cd02154d0009fca7d9c66574f3b",
        "cfeb02fecd55ad7a73c6e1d11985d4c47dee248ab63dcb66091a2489660443c3",
        "f27bf02c6e00c73d915eeb6a6a2f5fbf0c31ae0393149e6b5c31e41b113841c3",
        "2e1b3ba79af56d758be51697621bc4b9e8cee0983db3e749c55eb9b37c6d2ae0",
        "2782e51a95e86d9557fe4204316cf805bd6f5898f81f9732e944d742bcdc5f54",
        "e38c280f7c0e0b49f31efc7531032bb6a86c3fba4eb89beb1d510eaa4510ae4a",
        "4aebe77a51ed29959a7f9f5e07a24a558dee8167f3985d724995a541c258dfda",
        "cd8185ff8995ed09811970090a8c36fafab34ef87f47fa51fdb9ecf95c9c2e04",
        "887bc9658ffc6ad7f4eeb85c8819772ff609ee64c4dac4a6dca6543a9e94b289",
    ];

    internal static TpmPolicy Read(PolicyReader reader) => new()
    {
        Roots = reader.Hex("roots", DigestSize, VendorRoots),
        Keys = reader.Hex("keys", NameSize),
        VouchedKeys = reader.Hex("vouchedKeys", DigestSize),
        RequireEndorsement = reader.Flag("requireEndorsement", true),
        Selection = [.. reader.Numbers("selection", [0, 1, 2, 3, 4, 5, 6, 7], 0, Registers24 - 1).Select(index => (int)index).Order()],
        Registers = ReadRegisters(reader.Section("registers")),
        AllowEmptyRegisters = reader.Flag("allowEmptyRegisters", false),
        RequireEventLog = reader.Flag("requireEventLog", false),
        Firmware = reader.Hex("firmware", FirmwareSize),
        MinimumResetCount = reader.Number("minimumResetCount", 0, 0, uint.MaxValue),
        RequireNonce = reader.Flag("requireNonce", true),
    };

    private static Dictionary<int, IReadOnlyList<string>> ReadRegisters(PolicyReader? section)
    {
        var registers = new Dictionary<int, IReadOnlyList<string>>();
        if (section is null) return registers;
        for (var index = 0; index < Registers24; index++)
        {
            if (section.Has($"{index}")) registers[index] = section.Hex($"{index}", DigestSize);
        }

        section.End();
        return registers;
    }
}
