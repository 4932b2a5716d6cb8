using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.History;
using OpenGradient.Engine.Attestation.Verification.Pki;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Pki;

public sealed class RevocationListTests
{
    private static readonly MockPath Path = MockPath.Make();

    private static MockList List => new() { Issuer = Path.Certificate(1), Signer = (ECDsa)Path.Keys[1] };

    [Fact]
    public void List_OfItsIssuerInItsTime_Holds() => Assert.Empty(Check(List.Sign()));

    [Fact]
    public void List_WithEntries_ListsThemAlone()
    {
        var bytes = (List with { Serials = [[0x10], [0x7f, 1]], EntryExtension = ("2.5.29.21", true) }).Sign();
        Assert.Empty(Check(bytes));
        var list = RevocationList.Read(bytes, "list", new ReasonList())!;
        using var leaf = Path.Certificate(0);
        using var issuer = Path.Certificate(1);
        Assert.Equal(2, list.Count);
        Assert.True(list.Lists(leaf));
        Assert.False(list.Lists(issuer));
        Assert.Equal(7, list.Number);
    }

    [Fact]
    public void List_WithoutNextUpdate_IsRefused() => OnlyRevocation(Check((List with { NextUpdate = null }).Sign()));

    [Fact]
    public void List_AtTheEdgesOfItsTime_HoldsAndNotASecondOutside()
    {
        var bytes = List.Sign();
        Assert.Empty(Check(bytes, List.ThisUpdate));
        Assert.Empty(Check(bytes, List.NextUpdate));
        OnlyRevocation(Check(bytes, List.ThisUpdate.AddSeconds(-1)));
        OnlyRevocation(Check(bytes, List.NextUpdate!.Value.AddSeconds(1)));
    }

    [Fact]
    public void List_SignedByAnotherKey_IsRefused()
    {
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        OnlyRevocation(Check((List with { Signer = stranger }).Sign()));
    }

    [Fact]
    public void List_OfAnotherIssuersName_IsRefused() => OnlyRevocation(Check((List with { Issuer = Path.Certificate(2) }).Sign()));

    [Fact]
    public void List_OfAnIssuerNotForLists_IsRefused()
    {
        var path = MockPath.Make(3, part => part.Usages = part.Index == 1 ? X509KeyUsageFlags.KeyCertSign : part.Usages);
        using var issuer = path.Certificate(1);
        var reasons = new ReasonList();
        var list = RevocationList.Read(new MockList { Issuer = issuer, Signer = (ECDsa)path.Keys[1] }.Sign(), "list", reasons)!;
        list.Check(issuer, MockPath.At, "list", reasons);
        OnlyRevocation(reasons.All);
    }

    [Fact]
    public void List_OfAPartOrOfChanges_IsRefused()
    {
        OnlyRevocation(Check((List with { ListExtension = ("2.5.29.28", true) }).Sign()));
        OnlyRevocation(Check((List with { ListExtension = ("2.5.29.27", true) }).Sign()));
        OnlyRevocation(Check((List with { ListExtension = ("2.5.29.20", false) }).Sign()));
        Assert.Empty(Check((List with { ListExtension = ("2.5.29.35", false) }).Sign()));
    }

    [Fact]
    public void Entry_OfAnotherIssuer_IsRefused() => OnlyRevocation(Check((List with { Serials = [[1]], EntryExtension = ("2.5.29.29", true) }).Sign()));

    [Fact]
    public void List_OfAnotherVersionOrAlgorithm_IsRefused()
    {
        OnlyRevocation(Check((List with { Version = 2 }).Sign()));
        OnlyRevocation(Check((List with { Version = null }).Sign()));
        OnlyRevocation(Check((List with { InnerAlgorithm = "1.2.840.10045.4.3.2" }).Sign()));
        Assert.Empty(Check((List with { Version = null, Number = null }).Sign()));
    }

    [Fact]
    public void List_NotExactlyOne_IsRefused()
    {
        var bytes = List.Sign();
        foreach (var spoilt in (byte[][])[[], [.. bytes, 0], bytes[..^1], new byte[1024 * 1024 + 1], Path.Certificates[0].ToArray()]) OnlyRevocation(Check(spoilt));
    }

    [Fact]
    public void List_OlderThanOneSeenBefore_IsRefused()
    {
        var history = new CollateralLedger();
        Assert.Empty(Check((List with { Number = 8 }).Sign(), history: history));
        Assert.Empty(Check((List with { Number = 8 }).Sign(), history: history));
        OnlyRevocation(Check((List with { Number = 7 }).Sign(), history: history));
        OnlyRevocation(Check((List with { Number = 9, ThisUpdate = List.ThisUpdate.AddDays(-1) }).Sign(), history: history));
        Assert.Empty(Check((List with { Number = 9 }).Sign(), history: history));
    }

    [Fact]
    public void List_NotAuthentic_IsNotRemembered()
    {
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var history = new CollateralLedger();
        OnlyRevocation(Check((List with { Signer = stranger, Number = 100 }).Sign(), history: history));
        Assert.Empty(Check((List with { Number = 8 }).Sign(), history: history));
    }

    [Fact]
    public void Fuzz_OfSpoiltLists_NeverThrowsNorHolds()
    {
        var bytes = (List with { Serials = [[0x10], [0x7f, 1]] }).Sign();
        var random = new Random(3);
        var inputs = Vectors.Inputs;
        for (var i = 0; i < inputs; i++) Assert.True(Check(Spoiler.Spoil(bytes, random)).Count > 0);
        Console.WriteLine($"revocation lists: {inputs} spoilt inputs");
    }

    [VectorFact]
    public void List_OfIntel_HoldsInItsTimeAlone()
    {
        using var set = JsonDocument.Parse(Vectors.ReadText("tdx", "collateral", "lunal-50806f-202603.json"));
        var bytes = Convert.FromHexString(set.RootElement.GetProperty("pck_crl").GetString()!);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(set.RootElement.GetProperty("pck_crl_issuer_chain").GetString());
        foreach (var (time, count) in ((string, int)[])[("2026-03-16T22:34:05Z", 0), ("2026-03-16T22:34:04Z", 1), ("2026-04-15T22:34:05Z", 0), ("2026-04-15T22:34:06Z", 1)])
        {
            var reasons = new ReasonList();
            var list = RevocationList.Read(bytes, "pck", reasons)!;
            Assert.True(list.Count > 10);
            list.Check(chain[0], DateTimeOffset.Parse(time), "pck", reasons);
            Assert.Equal(count, reasons.Count);
        }
    }

    private static IReadOnlyList<AttestationReason> Check(byte[] bytes, DateTimeOffset? at = null, CollateralLedger? history = null)
    {
        var reasons = new ReasonList();
        using var issuer = Path.Certificate(1);
        RevocationList.Read(bytes, "list", reasons)?.Check(issuer, at ?? MockPath.At, "list", reasons, history);
        return reasons.All;
    }

    private static void OnlyRevocation(IReadOnlyList<AttestationReason> reasons) => Assert.Equal(AttestationCheck.Revocation, Assert.Single(reasons).Check);
}
