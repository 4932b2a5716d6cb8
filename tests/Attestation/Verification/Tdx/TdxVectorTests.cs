using System.Text.Json;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Attestation.Verification.Tdx;
using Xunit.Abstractions;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Tdx;

using OpenGradient.Engine.Attestation.Verification;

/// <summary>Captured quotes with captured collateral, at the times that their list names.</summary>
public sealed class TdxVectorTests(ITestOutputHelper output)
{
    private const int MrTdOffset = 136;

    // What is wrong beside the vector's own expectation: bytes behind the quote, and a guest without SEPT_VE_DISABLE.
    private static readonly AttestationCheck[] SprAlso = [AttestationCheck.Encoding, AttestationCheck.Guest];

    private static readonly Dictionary<string, AttestationCheck> Mutants = new()
    {
        ["akt-3"] = AttestationCheck.Version, ["attacker-ak"] = AttestationCheck.Key, ["bodytype-2"] = AttestationCheck.Encoding,
        ["mrsignerseam"] = AttestationCheck.Signature, ["pem-bitflip"] = AttestationCheck.Encoding, ["report-data"] = AttestationCheck.Signature,
        ["rtmr3"] = AttestationCheck.Signature, ["siglen-max"] = AttestationCheck.Encoding, ["tcb-svn-up"] = AttestationCheck.Signature,
        ["trailing-ff"] = AttestationCheck.Encoding, ["vendor"] = AttestationCheck.Version, ["version-3"] = AttestationCheck.Version,
        ["debug"] = AttestationCheck.Signature, ["mrtd"] = AttestationCheck.Signature, ["r-zero"] = AttestationCheck.Signature,
        ["siglen-plus1"] = AttestationCheck.Encoding, ["trailing-64k"] = AttestationCheck.Size, ["truncated"] = AttestationCheck.Encoding,
        ["version-6"] = AttestationCheck.Version,
    };

    private static readonly string[] Known = ["accept", "DEBUG", "no tcb level", "PCK CRL nextUpdate", "QE identity issueDate", "collateral stale"];

    public static TheoryData<int> Cases => [.. Enumerable.Range(0, CaseList().Count)];

    public static TheoryData<string> MutantFiles => Vectors.Folder is null
        ? []
        : [.. Directory.GetFiles(Vectors.PathOf("mutants", "tdx")).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    public static TheoryData<string> Without => ["google-cos.bin", "trustee-6.bin"];

    [VectorTheory]
    [MemberData(nameof(Cases))]
    public void Verify_CapturedCase_HasItsVerdict(int index)
    {
        var item = CaseList()[index];
        var (name, expected) = (Text(item, "quote"), Text(item, "expected"));
        var quote = Vectors.Read("tdx", name);
        var result = TdxVerifier.Verify(quote, Context(quote, item.GetProperty("verify_at").GetInt64(), Text(item, "collateral")));

        output.WriteLine($"{name} {Text(item, "collateral")}: {expected}: {string.Join("; ", result.Reasons)} {result.Claims?.Tcb}");
        var isAccepted = expected == "accept";
        Assert.Equal(isAccepted ? AttestationStatus.Accepted : AttestationStatus.Refused, result.Status);
        // Of a list that holds more than this one knows, the verdict alone.
        if (!Array.Exists(Known, expected.Contains)) return;
        Assert.Equal(Expected(item, name, expected).Order(), result.Reasons.Select(reason => reason.Check).Distinct().Order());
        if (!item.TryGetProperty("advisories", out var advisories) || item.GetProperty("platform").ValueKind == JsonValueKind.Null) return;
        Assert.Equal(Text(item, "platform"), result.Claims!.Tcb);
        Assert.Equal(advisories.EnumerateArray().Select(entry => entry.GetString()), result.Claims.Advisories);
    }

    [VectorTheory]
    [MemberData(nameof(MutantFiles))]
    public void Verify_Mutant_IsRefusedForItsReason(string file)
    {
        var quote = Vectors.Read("mutants", "tdx", file);
        var isPhala = file.StartsWith("phala-v4", StringComparison.Ordinal);
        var context = isPhala ? Context(quote, 1751624191, "collateral/phala-b0c06f-202506.json") : Context(quote, 1774995904, "collateral/lunal-90c06f-202603.json");
        var result = TdxVerifier.Verify(quote, context);

        output.WriteLine($"{file}: {string.Join("; ", result.Reasons)}");
        Assert.Equal(AttestationStatus.Refused, result.Status);
        if (Mutants.TryGetValue(file[(isPhala ? 9 : 10)..^4], out var check)) Assert.Contains(check, result.Reasons.Select(reason => reason.Check));
    }

    // The mutant's base, which is not captured by itself: a guest of TDX 1.5 whose module was updated since its launch.
    [VectorFact]
    public void Verify_Version5WithoutTheMutantsTail_IsAccepted()
    {
        var quote = Vectors.Read("mutants", "tdx", "google-v5-trailing-ff.bin")[..^16];
        var result = TdxVerifier.Verify(quote, Context(quote, 1774995904, "collateral/lunal-90c06f-202603.json"));

        Assert.Empty(result.Reasons);
        Assert.Equal("TDX 1.5", result.Claims!.Product);
        Assert.Equal("UpToDate", result.Claims.Tcb);
    }

    [VectorTheory]
    [MemberData(nameof(Without))]
    public void Verify_CapturedWithoutCollateral_IsUnverifiable(string file)
    {
        var quote = Vectors.Read("tdx", "quotes", file);
        var result = TdxVerifier.Verify(quote, Context(quote, 1774995904, null));

        Assert.Equal(AttestationStatus.Unverifiable, result.Status);
        Assert.Equal([AttestationCheck.Collateral], result.Reasons.Select(reason => reason.Check));
    }

    [VectorFact]
    public void Verify_AzureGuestWithoutCollateral_IsRefusedForItsAttributes()
    {
        var quote = Vectors.Read("tdx", "quotes", "trustee-az-v4.bin");
        var result = TdxVerifier.Verify(quote, Context(quote, 1774995904, null));

        Assert.Equal([AttestationCheck.Guest, AttestationCheck.Collateral], result.Reasons.Select(reason => reason.Check));
    }

    [VectorFact]
    public void Verify_SyntheticQuote_IsRefused()
    {
        var quote = Vectors.Read("tdx", "negative", "intel-synthetic-quote.bin");

        Assert.Equal(AttestationStatus.Refused, TdxVerifier.Verify(quote, Context(quote, 1774995904, null)).Status);
    }

    [VectorTheory]
    [MemberData(nameof(Cases))]
    public void Verify_SecondRule_NeverAcceptsMore(int index)
    {
        var item = CaseList()[index];
        var quote = Vectors.Read("tdx", Text(item, "quote"));
        var context = Context(quote, item.GetProperty("verify_at").GetInt64(), Text(item, "collateral"));
        var first = TdxVerifier.Verify(quote, context);
        var second = TdxVerifier.Verify(quote, context with { Policy = context.Policy with { Tdx = context.Policy.Tdx! with { TcbRule = TdxTcbRule.AllComponents } } });

        output.WriteLine($"{Text(item, "quote")}: {first.Claims?.Tcb ?? "none"} by Intel's rule, {second.Claims?.Tcb ?? "none"} by all components");
        if (second.Status == AttestationStatus.Accepted) Assert.Equal(AttestationStatus.Accepted, first.Status);
    }

    [VectorTheory]
    [InlineData("phala-v4.bin", 1751624191, "collateral/phala-b0c06f-202506.json", 41)]
    [InlineData("phala-near.bin", 1758093775, "collateral/phala-20a06f-202509.json", 42)]
    public void Verify_AnyBitFlipped_IsRefused(string file, long at, string collateral, int seed)
    {
        var quote = Vectors.Read("tdx", "quotes", file);
        var context = Context(quote, at, collateral);
        var random = new Random(seed);
        var bits = quote.Length * 8;
        int[] flips = Vectors.IsLong ? [.. Enumerable.Range(0, bits)] : [.. Enumerable.Range(0, 600).Select(_ => random.Next(bits))];
        foreach (var bit in flips)
        {
            quote[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.True(TdxVerifier.Verify(quote, context).Status == AttestationStatus.Refused, $"bit {bit}, seed {seed}");
            quote[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.Equal(AttestationStatus.Accepted, TdxVerifier.Verify(quote, context).Status);
        output.WriteLine($"{flips.Length} of {bits} bits of {file} flipped, all refused");
    }

    private static IEnumerable<AttestationCheck> Expected(JsonElement item, string name, string expected)
    {
        if (expected == "accept") return [];
        if (expected.Contains("PCK CRL nextUpdate")) return [AttestationCheck.Revocation];
        if (expected.Contains("QE identity issueDate")) return [AttestationCheck.Collateral];
        if (expected.Contains("collateral stale")) return [AttestationCheck.Revocation, AttestationCheck.Collateral];
        if (expected.Contains("DEBUG")) return Text(item, "platform") == "UpToDate" ? [AttestationCheck.Debug] : [AttestationCheck.Debug, AttestationCheck.Tcb];
        return name.Contains("google-spr") ? [AttestationCheck.Tcb, .. SprAlso] : [AttestationCheck.Tcb];
    }

    // Any guest's measurement is named: these cases are about everything else.
    private static VerificationContext Context(byte[] quote, long at, string? collateral)
    {
        var offset = MrTdOffset + (quote.Length > 0 && quote[0] == 4 ? 48 : 54);
        var mrtd = quote.Length >= offset + 48 ? Convert.ToHexStringLower(quote.AsSpan(offset, 48)) : MockTdx.Hex(0, 48);
        return new VerificationContext
        {
            At = DateTimeOffset.FromUnixTimeSeconds(at), Policy = new EvidencePolicy { Tdx = new TdxPolicy { MrTd = [mrtd] } },
            Collateral = collateral is null ? new Dictionary<string, ReadOnlyMemory<byte>>() : new Dictionary<string, ReadOnlyMemory<byte>>
            {
                [Path.GetFileName(collateral)] = Vectors.Read("tdx", collateral),
            },
        };
    }

    private static List<JsonElement> CaseList() => Vectors.Folder is null ? [] : [.. JsonDocument.Parse(Vectors.ReadText("tdx", "cases.json")).RootElement.EnumerateArray()];

    private static string Text(JsonElement item, string name) => item.GetProperty(name).GetString()!;
}
