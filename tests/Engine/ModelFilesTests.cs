using System.Security.Cryptography;
using System.Text.Json;

namespace OpenGradient.Engine.Engine.Tests;

/// <summary>The committed models are those that their scripts wrote down.</summary>
public sealed class ModelFilesTests
{
    private static string Models => Path.Combine(TestFiles.Root, "models");

    [Theory]
    [InlineData("tests/models.json")]
    [InlineData("torch/tests/models.json")]
    public void Listing_EveryFile_HasItsDigest(string listing)
    {
        var path = Path.Combine(Models, listing);
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        var folder = Path.GetDirectoryName(path)!;
        foreach (var model in document.RootElement.EnumerateArray())
            Assert.Equal((model.GetProperty("file").GetString(), model.GetProperty("sha256").GetString()), (model.GetProperty("file").GetString(), DigestOf(Path.Combine(folder, model.GetProperty("file").GetString()!))));
    }

    [Theory]
    [InlineData("digits")]
    [InlineData("encoder")]
    [InlineData("torch/encoder")]
    public void Description_File_HasItsDigest(string folder)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Models, folder, "model.json")));
        Assert.Equal(document.RootElement.GetProperty("sha256").GetString(), DigestOf(Path.Combine(Models, folder, document.RootElement.GetProperty("file").GetString()!)));
    }

    private static string DigestOf(string file) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));
}
