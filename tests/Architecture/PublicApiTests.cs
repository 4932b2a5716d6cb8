using System.Reflection;

namespace OpenGradient.Engine.Architecture.Tests;

/// <summary>
/// What each room offers is a listed text, so that a change to it is a decision. After a deliberate change:
/// <c>OG_ACCEPT_API=1 dotnet test tests/Architecture</c>, and the diff of the listing is reviewed with the code.
/// </summary>
public sealed class PublicApiTests
{
    private const string Folder = "tests/Architecture/PublicApi";

    // One line per room whose surface is listed.
    private static readonly Assembly[] Listed =
    [
        typeof(Formats.Hash256).Assembly,
        typeof(InferenceEngine).Assembly,
        typeof(Attestation.EnclaveEpoch).Assembly,
        typeof(Settlement.SettlementService).Assembly,
        typeof(Verification.BundleVerifier).Assembly,
        typeof(LanguageModels.LanguageModel).Assembly,
        typeof(Hosting.EngineHost).Assembly,
    ];

    public static TheoryData<string> Assemblies => [.. Listed.Select(assembly => assembly.GetName().Name!)];

    [Theory, MemberData(nameof(Assemblies))]
    public void Assembly_PublicSurface_IsTheListedOne(string name)
    {
        var actual = PublicSurface.Of(Listed.Single(assembly => assembly.GetName().Name == name));
        var file = Path.Combine(Repository.Root, Folder, name + ".txt");
        if (Environment.GetEnvironmentVariable("OG_ACCEPT_API") == "1") File.WriteAllText(file, string.Join('\n', actual) + "\n");

        Assert.True(File.Exists(file), $"{Folder}/{name}.txt is missing; OG_ACCEPT_API=1 writes it");
        var listed = File.ReadAllText(file).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var changes = actual.Except(listed).Select(line => "+ " + line).Concat(listed.Except(actual).Select(line => "- " + line)).ToArray();
        Assert.True(changes.Length == 0, $"{name}'s public surface changed (OG_ACCEPT_API=1 accepts it):\n{string.Join('\n', changes)}");
        Assert.Equal(listed, actual);
    }

    [Fact]
    public void Listings_InTheFolder_EachHaveTheirAssembly()
    {
        var files = Repository.Files(Folder).Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal);
        Assert.Equal(Listed.Select(assembly => assembly.GetName().Name!).Order(StringComparer.Ordinal), files);
    }

    [Fact]
    public void Listing_OfKnownShapes_IsTheWordingThatReadersExpect()
    {
        var lines = PublicSurface.Of(typeof(Formats.Hash256).Assembly);
        Assert.Contains("Hash256: readonly struct : IEquatable<Hash256>", lines);
        Assert.Contains("Hash256.Size: const int = 32", lines);
        Assert.Contains("Hash256.TryParse(ReadOnlySpan<char> text, out Hash256 hash): static bool", lines);
        Assert.Contains("IBatchSealer.Seal(in BatchToSeal batch): SealedBatch", lines);
        Assert.Contains("ReceiptBundle.Anchor: AnchorClaim? { get; init; }", lines);
        Assert.Contains("SignedNote.SignatureOf(ReadOnlySpan<byte> note, ReadOnlySpan<byte> publicKey, ulong size, in Hash256 root): static byte[]?", lines);
        Assert.DoesNotContain(lines, line => line.Contains("<Clone>") || line.Contains("PrintMembers"));
    }
}
