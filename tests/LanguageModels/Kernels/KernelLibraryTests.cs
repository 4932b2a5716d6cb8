using System.Security.Cryptography;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Kernels;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Kernels;

public sealed class KernelLibraryTests
{
    private static string Fixture(string name) => Path.Combine(Path.GetDirectoryName(KernelLibrary.Load().Path)!, "tests", name);

    [Fact]
    public void Load_MissingLibrary_NamesThePath() => Assert.Contains(
        "/nowhere/libog_kernels.so", Assert.Throws<KernelLibraryException>(() => KernelLibrary.Load("/nowhere/libog_kernels.so")).Message, StringComparison.Ordinal);

    [Fact]
    public void Load_AnotherLibrary_NamesPathAndMissingExport()
    {
        var libc = File.ReadLines("/proc/self/maps").Select(line => line.Split(' ')[^1]).First(path => Path.GetFileName(path).StartsWith("libc.so", StringComparison.Ordinal));
        var failure = Assert.Throws<KernelLibraryException>(() => KernelLibrary.Load(libc));
        Assert.Contains(libc, failure.Message, StringComparison.Ordinal);
        Assert.Contains("ogk_abi_version", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NotALibrary_NamesThePath()
    {
        using var folder = TinyFolder.Create();
        Assert.Contains(folder.File("config.json"), Assert.Throws<KernelLibraryException>(() => KernelLibrary.Load(folder.File("config.json"))).Message, StringComparison.Ordinal);
    }

    [KernelTheory]
    [InlineData("libog_kernels_other_version.so", "its ABI version is 999, this host needs 1")]
    [InlineData("libog_kernels_other_layout.so", "struct number 1 has 8 bytes")]
    public void Load_OtherAbi_IsRefusedAtTheHandshake(string file, string problem) =>
        Assert.Contains(problem, Assert.Throws<KernelLibraryException>(() => KernelLibrary.Load(Fixture(file))).Message, StringComparison.Ordinal);

    [Fact]
    public void Open_WithoutTheLibrary_IsALoadErrorThatNamesIt()
    {
        using var folder = TinyFolder.Create();
        var error = Assert.Throws<LanguageModelLoadException>(() =>
            KernelRuntime.Open(folder.Path, new LanguageModelLoadOptions { KernelsLibrary = "/nowhere/libog_kernels.so" }, default));
        Assert.Contains("/nowhere/libog_kernels.so", error.Message, StringComparison.Ordinal);
    }

    [KernelFact]
    public void Library_Loaded_SaysWhatItIs()
    {
        var library = KernelLibrary.Load();
        Assert.Same(library, KernelLibrary.Load());
        Assert.Equal(new Hash256(SHA256.HashData(File.ReadAllBytes(library.Path))), library.Digest);
        Assert.NotEmpty(library.Version);
        Assert.NotEmpty(library.BestInstructionSet);
        Assert.All(Enum.GetValues<WeightScheme>(), scheme => Assert.NotEmpty(library.NumericsClass(scheme)));
        Assert.Throws<ArgumentException>(() => library.NumericsClass(WeightScheme.Bf16, "mmx"));
    }

    [Fact]
    public void Candidates_ExplicitPath_IsTheOnlyOne() => Assert.Equal(["/opt/x.so"], KernelLibraryLocator.Candidates("/opt/x.so"));
}
