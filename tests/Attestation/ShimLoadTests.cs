using System.Security.Cryptography;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Tests;

public class ShimLoadTests
{
    private static string Fixture(string name) => Path.Combine(Path.GetDirectoryName(Shim.Loaded.Path)!, "tests", name);

    [Fact]
    public void Load_MissingLibrary_NamesThePath()
    {
        var failure = Assert.Throws<ShimLoadException>(() => AttestationShim.Load("/nowhere/libog_attest.so"));
        Assert.Contains("/nowhere/libog_attest.so", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_AnotherLibrary_NamesPathAndMissingExport()
    {
        var libc = File.ReadLines("/proc/self/maps").Select(line => line.Split(' ')[^1]).First(path => Path.GetFileName(path).StartsWith("libc.so", StringComparison.Ordinal));
        var failure = Assert.Throws<ShimLoadException>(() => AttestationShim.Load(libc));
        Assert.Equal(libc, failure.Path);
        Assert.Contains("og_abi_version", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NotALibrary_NamesThePath()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("libog_attest.so", "not a library");
        Assert.Equal(path, Assert.Throws<ShimLoadException>(() => AttestationShim.Load(path)).Path);
    }

    [Fact]
    public void Load_OtherAbiVersion_IsRefusedAtTheHandshake()
    {
        var failure = Assert.Throws<ShimLoadException>(() => AttestationShim.Load(Fixture("libog_attest_other_version.so")));
        Assert.Contains("999", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OtherStructLayout_IsRefusedAtTheHandshake()
    {
        var failure = Assert.Throws<ShimLoadException>(() => AttestationShim.Load(Fixture("libog_attest_other_layout.so")));
        Assert.Contains("struct number 0", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BuildDigest_OfTheLoadedFile_IsItsSha256()
    {
        Assert.Equal(new Hash256(SHA256.HashData(File.ReadAllBytes(Shim.Loaded.Path))), Shim.Loaded.BuildDigest());
        Assert.NotEmpty(Shim.Loaded.Version);
        Assert.Contains(Shim.Loaded.Sha256Provider, (string[])["sha-ni", "portable"]);
    }

    [Fact]
    public void Attesters_OnThisMachine_OfferSoftwareAndSayWhyNotTheOthers()
    {
        var attesters = Shim.Loaded.Attesters();
        Assert.Equal(Enum.GetValues<EvidenceKind>(), attesters.Select(attester => attester.Kind));
        Assert.True(attesters[0].Available);
        Assert.All(attesters, attester => Assert.NotEmpty(attester.Reason));
    }

    [Fact]
    public void Candidates_ExplicitPath_IsTheOnlyOne() => Assert.Equal(["/opt/x.so"], ShimLocator.Candidates("/opt/x.so"));
}
