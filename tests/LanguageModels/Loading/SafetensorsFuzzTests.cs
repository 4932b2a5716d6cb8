using System.Globalization;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;
using Xunit.Abstractions;

namespace OpenGradient.Engine.LanguageModels.Tests.Loading;

/// <summary>
/// Spoiled headers are refused by name or still keep every promise. <c>OG_FUZZ_SEED</c> runs another seed, <c>OG_LONG=1</c>
/// a hundred times as many.
/// </summary>
public sealed class SafetensorsFuzzTests(ITestOutputHelper output)
{
    private static readonly string[] Pieces = ["\"", "{", "}", "[", "]", ",", ":", "0", "-1", "9223372036854775807", "1e999", "null", "\\u0000", "\"a\":", "\"shape\":[]", "F32", "\0", "𝄞"];

    [Fact]
    public void Parse_SpoiledHeaders_AreRefusedOrFillTheData()
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable("OG_FUZZ_SEED") ?? "6", CultureInfo.InvariantCulture);
        var rounds = Environment.GetEnvironmentVariable("OG_LONG") == "1" ? 2_000_000 : 20_000;
        using var folder = TinyFolder.Create(new TinyShape { Layers = 1 });
        var file = File.ReadAllBytes(folder.File("model.safetensors"));
        var length = (int)BitConverter.ToInt64(file);
        var (header, data) = (file[8..(8 + length)], file.Length - 8 - length);
        var (read, refused) = (0, 0);
        for (var round = 0; round < rounds; round++)
        {
            var random = new Random(unchecked(seed * 1_000_003 + round));
            var spoiled = Spoil(header, random);
            try
            {
                RequirePromises(SafetensorsHeader.Parse(spoiled, data, "f"), data);
                read++;
            }
            catch (LanguageModelLoadException error)
            {
                Assert.True(error.Message.Length < 1000 && !error.Message.Any(char.IsControl), $"seed {seed}, round {round}: {error.Message}");
                refused++;
            }
            catch (Exception other)
            {
                Assert.Fail($"seed {seed}, round {round}: {other}");
            }
        }

        output.WriteLine($"{rounds} headers: {refused} refused, {read} read");
        Assert.True(refused > rounds / 2 && read > 0);
    }

    private static void RequirePromises(IReadOnlyList<SafetensorsTensor> tensors, long data)
    {
        long end = 0;
        foreach (var tensor in tensors)
        {
            Assert.Equal(end, tensor.Offset);
            Assert.True(tensor.Length >= 0);
            end += tensor.Length;
        }

        Assert.Equal(data, end);
        Assert.Equal(tensors.Count, tensors.Select(tensor => tensor.Name).Distinct().Count());
    }

    private static byte[] Spoil(byte[] header, Random random)
    {
        var bytes = header.ToList();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes.RemoveAt(at); break;
                case 2: bytes.InsertRange(at, System.Text.Encoding.UTF8.GetBytes(Pieces[random.Next(Pieces.Length)])); break;
                case 3: bytes.RemoveRange(at, Math.Min(random.Next(1, 40), bytes.Count - at - 1)); break;
                case 4: bytes.InsertRange(at, bytes.GetRange(random.Next(bytes.Count - 40), 40)); break;
                default: bytes[at] = (byte)('0' + random.Next(10)); break;
            }
        }

        return [.. bytes];
    }
}
