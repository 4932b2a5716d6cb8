using System.Globalization;
using OpenGradient.Engine.Attestation.Verification.Policy;

namespace OpenGradient.Engine.Attestation.Verification.Nitro;

/// <summary>Which Nitro enclaves are accepted.</summary>
public sealed record NitroPolicy
{
    /// <summary>AWS Nitro Enclaves Root-G1: the root that AWS documents for attestation, of aws.nitro-enclaves, valid from 2019 to 2049.</summary>
    public const string AwsRoot = "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b";

    /// <summary>SHA-256 of the DER of each root that is trusted. The default is the vendor's own.</summary>
    public IReadOnlyList<string> Roots { get; init; } = [AwsRoot];

    /// <summary>
    /// By PCR, the values of which one must stand in the document; lower-case hexadecimal. PCR 0, 1 and 2 are image, kernel and application,
    /// 3 the role, 4 the instance, 8 the image's signer. A PCR that is not named here is not compared.
    /// </summary>
    public IReadOnlyDictionary<int, IReadOnlyList<string>> Pcrs { get; init; } = new Dictionary<int, IReadOnlyList<string>>();

    /// <summary>Whether PCR 0, 1 and 2 must be named. True: evidence of an unknown image says nothing about what answers.</summary>
    public bool RequireMeasurements { get; init; } = true;

    /// <summary>False: the operator reads a debug enclave's console, and its measurements are zero.</summary>
    public bool AllowDebug { get; init; }

    /// <summary>Five minutes: a challenge is answered in seconds, and without a challenge this alone bounds replay. A certificate lives three hours.</summary>
    public TimeSpan MaximumAge { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How far the document's time may be after the asked one. Five seconds: two synchronised clocks differ by less.</summary>
    public TimeSpan MaximumSkew { get; init; } = TimeSpan.FromSeconds(5);

    /// <exception cref="PolicyException">A field is not what it must be.</exception>
    internal static NitroPolicy Read(PolicyReader reader)
    {
        var defaults = new NitroPolicy();
        return new NitroPolicy
        {
            Roots = reader.Hex("roots", 32, defaults.Roots),
            Pcrs = reader.Section("pcrs") is { } pcrs ? ReadPcrs(pcrs) : defaults.Pcrs,
            RequireMeasurements = reader.Flag("requireMeasurements", defaults.RequireMeasurements),
            AllowDebug = reader.Flag("allowDebug", defaults.AllowDebug),
            MaximumAge = reader.Seconds("maximumAgeSeconds", defaults.MaximumAge),
            MaximumSkew = reader.Seconds("maximumSkewSeconds", defaults.MaximumSkew),
        };
    }

    // {"0": ["5cb7…"], "8": ["…"]}
    private static Dictionary<int, IReadOnlyList<string>> ReadPcrs(PolicyReader pcrs)
    {
        var values = new Dictionary<int, IReadOnlyList<string>>();
        foreach (var name in pcrs.Names)
        {
            var isIndex = int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < NitroDocument.MostPcrs;
            if (!isIndex || index.ToString(CultureInfo.InvariantCulture) != name) throw pcrs.Error(name, $"must be the number of a PCR, 0 to {NitroDocument.MostPcrs - 1}");
            values[index] = pcrs.Hex(name, NitroDocument.PcrSize);
            if (values[index].Count == 0) throw pcrs.Error(name, "names no value");
        }

        return values;
    }
}
