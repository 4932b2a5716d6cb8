using System.Text.Json;

namespace OpenGradient.Engine.Attestation.Tests;

public class FormatVectorsTests
{
    /// <summary>Set to 1 to write the file anew after a deliberate change of a format.</summary>
    private const string Rewrite = "OG_WRITE_VECTORS";

    [Fact]
    public void Vectors_ComputedByFormats_EqualTheFile()
    {
        var computed = new FormatVectors().Compute();
        var path = Path.Combine(Checkout.Root, "tests", "vectors", "formats.json");
        if (Environment.GetEnvironmentVariable(Rewrite) == "1")
            File.WriteAllText(path, "{\n" + string.Join(",\n", computed.Select(pair => $"  \"{pair.Key}\": \"{pair.Value}\"")) + "\n}\n");

        using var file = JsonDocument.Parse(File.ReadAllText(path));
        var golden = file.RootElement.EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value.GetString());

        Assert.Equal(golden.Keys.Order(StringComparer.Ordinal), computed.Keys);
        Assert.All(computed, pair => Assert.Equal(golden[pair.Key], pair.Value));
    }
}
