using System.Globalization;
using System.Text;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Protocol;
using Xunit.Abstractions;

namespace OpenGradient.Engine.Hosting.Tests.Fuzz;

/// <summary>The request decoder against generated and spoiled requests, held to System.Text.Json's own reading of each.</summary>
public sealed class InferRequestFuzzTests(ITestOutputHelper output)
{
    // Enough for any message, and far below a body.
    private const int LongestMessage = 1000;

    // A stack trace and its strings; everything else grows with the body.
    private const long AllocatedAtMost = 64 << 10;
    private const long AllocatedPerByte = 64;

    [Fact]
    public void Read_ValidRequests_GiveTheTensorsThatWereWritten()
    {
        new FuzzRun(output, 2_000).Each(random =>
        {
            var tensors = SampleRequests.Tensors(random);
            var body = SampleRequests.Write(random, tensors, _ => random.Next(2) == 0);
            Same(tensors, InferRequest.Read(body.Bytes, body.JsonLength));
            Same(tensors, Reading.Of(body));
        });
    }

    [Fact]
    public void Read_JsonAndBinaryOfOneRequest_HaveOneDigest()
    {
        new FuzzRun(output, 2_000).Each(random =>
        {
            var tensors = SampleRequests.Tensors(random);
            var json = SampleRequests.Write(random, tensors, _ => false);
            var binary = SampleRequests.Write(random, tensors, _ => true);
            var expected = TensorSetDigest.Of(tensors.Select(tensor => (tensor.Name, Header(tensor.Name, tensor.Code, tensor.Shape, tensor.Data.Length), (ReadOnlyMemory<byte>)tensor.Data)));
            Assert.Equal(expected, Digest(InferRequest.Read(json.Bytes, json.JsonLength)));
            Assert.Equal(expected, Digest(InferRequest.Read(binary.Bytes, binary.JsonLength)));
        });
    }

    [Fact]
    public void Read_SpoiledRequests_AreReadAsSystemTextJsonReadsThemOrRefused()
    {
        int refused = 0, read = 0;
        var tried = new FuzzRun(output, 20_000).Each(random =>
        {
            var tensors = SampleRequests.Tensors(random);
            var body = Mutation.Of(random, SampleRequests.Write(random, tensors, _ => random.Next(3) == 0));
            if (Try(body) is { } request)
            {
                read++;
                if (Reading.Of(body) is not { } expected) throw new InvalidOperationException($"was read, and should be refused: {Shown(body)}");
                Same(expected, request);
                SameAgain(random, request);
            }
            else
            {
                refused++;
                if (Reading.Of(body) is not null) throw new InvalidOperationException($"was refused, and is a request: {Shown(body)}");
            }
        });
        output.WriteLine($"{read:N0} of them read, {refused:N0} refused");
        // Spoiling that always or never mattered would try little.
        Assert.InRange(read, tried / 100, tried / 2);
    }

    /// <summary>The decoder's only exception, with a message that is short and can be sent; memory in proportion to the body.</summary>
    private static InferRequest? Try(SampleBody body)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            return InferRequest.Read(body.Bytes, body.JsonLength);
        }
        catch (BadRequestException refused)
        {
            Assert.InRange(refused.Message.Length, 1, LongestMessage);
            Assert.True(IsWhole(refused.Message), $"half a character in '{refused.Message}'");
            return null;
        }
        catch (Exception other)
        {
            throw new InvalidOperationException($"{other.GetType().Name}: {other.Message}: {Shown(body)}", other);
        }
        finally
        {
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < AllocatedAtMost + (AllocatedPerByte * body.Bytes.Length), $"{allocated} bytes for a body of {body.Bytes.Length}: {Shown(body)}");
        }
    }

    public static TheoryData<string, int> Large
    {
        get
        {
            var cases = new TheoryData<string, int>();
            foreach (var what in Floods.Keys) cases.Add(what, FuzzRun.IsLong || what == "arrays" ? 16 << 20 : 4 << 20);
            return cases;
        }
    }

    private static readonly Dictionary<string, (string Head, string Repeated, string Tail)> Floods = new()
    {
        ["arrays"] = ("", "[", ""),
        ["objects"] = ("", "{\"inputs\":", ""),
        ["arrays as data"] = ("{\"inputs\":[{\"name\":\"x\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":", "[", "]"),
        ["empty arrays as data"] = ("{\"inputs\":[{\"name\":\"x\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":[", "[],", "[]]}]}"),
        ["digits"] = ("{\"inputs\":[{\"name\":\"x\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":[", "9", "]}]}"),
        ["digits of a half"] = ("{\"inputs\":[{\"name\":\"x\",\"shape\":[1],\"datatype\":\"FP16\",\"data\":[0.", "1", "x]}]}"),
        ["digits of a size"] = ("{\"inputs\":[{\"name\":\"x\",\"shape\":[", "9", "]}]}"),
        ["zeros"] = ("{\"inputs\":[{\"name\":\"x\",\"shape\":[1],\"datatype\":\"UINT8\",\"data\":[", "0,", "0]}]}"),
        ["sizes"] = ("{\"inputs\":[{\"name\":\"x\",\"shape\":[", "1,", "1]}]}"),
        ["a name"] = ("{\"", "n", "\":1}"),
        ["a name of escapes"] = ("{\"inputs\":[{\"name\":\"", "\\u0001", "\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":[]}]}"),
        ["a datatype"] = ("{\"inputs\":[{\"name\":\"x\",\"shape\":[1],\"datatype\":\"", "\U0001F600", "\",\"data\":[]}]}"),
        ["a text without end"] = ("{\"id\":\"", "a", ""),
        ["inputs"] = ("{\"inputs\":[", "{\"name\":\"x\",\"shape\":[0],\"datatype\":\"FP32\",\"data\":[]},", "1]}"),
        ["outputs"] = ("{\"outputs\":[", "{\"name\":\"y\"},", "1]}"),
        ["properties"] = ("{", "\"id\":\"a\",", "\"id\":\"a\"}"),
        ["spaces"] = ("", " ", ""),
        ["null bytes"] = ("", "\0", ""),
    };

    [Theory]
    [MemberData(nameof(Large))]
    public void Read_LargeBodyOfOneThing_IsRefusedWithinBounds(string what, int size)
    {
        var (head, repeated, tail) = Floods[what];
        var unit = Encoding.UTF8.GetBytes(repeated);
        var body = new List<byte>(size + 1000);
        body.AddRange(Encoding.UTF8.GetBytes(head));
        while (body.Count < size) body.AddRange(unit);
        body.AddRange(Encoding.UTF8.GetBytes(tail));
        // Data that is not wanted is not kept, and a text takes a few times its bytes: 64 per byte would be a gigabyte.
        var bytes = body.ToArray();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var refused = Assert.Throws<BadRequestException>(() => InferRequest.Read(bytes, bytes.Length));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8L * bytes.Length);
        Assert.InRange(refused.Message.Length, 1, LongestMessage);
        Assert.True(IsWhole(refused.Message), "half a character in the message");
    }

    [Theory]
    [InlineData("2049.0000000001", 2050)]
    [InlineData("2048.9999999999999999", 2048)]
    [InlineData("65519.99999999999", 65504)]
    public void Read_HalfBesideATie_IsRoundedOnce(string digits, float expected)
    {
        var bytes = Encoding.UTF8.GetBytes($$"""{"inputs":[{"name":"x","shape":[1],"datatype":"FP16","data":[{{digits}}]}]}""");
        Assert.Equal((Half)expected, BitConverter.ToHalf(InferRequest.Read(bytes, bytes.Length).Inputs[0].Data.Span));
    }

    // What a request holds, written once more and read once more, is the same request.
    private static void SameAgain(Random random, InferRequest request)
    {
        var tensors = request.Inputs.Select(input => new SampleTensor(input.Name, input.Code, input.Shape, input.Data.ToArray())).ToArray();
        // JSON has no bytes for a bool that is neither, nor for a NaN: those came as binary and go as binary.
        var body = SampleRequests.Write(random, tensors, index => request.Inputs[index].Code is 1 or 9 or 10 or 11 || random.Next(2) == 0);
        Same(tensors, InferRequest.Read(body.Bytes, body.JsonLength));
    }

    private static void Same(IReadOnlyList<SampleTensor>? expected, InferRequest request) =>
        Same(expected, [.. request.Inputs.Select(input => new SampleTensor(input.Name, input.Code, input.Shape, input.Data.ToArray()))]);

    private static void Same(IReadOnlyList<SampleTensor>? expected, IReadOnlyList<SampleTensor>? actual)
    {
        Assert.NotNull(expected);
        Assert.NotNull(actual);
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++)
        {
            Assert.Equal(expected[i].Name, actual[i].Name);
            Assert.Equal(expected[i].Code, actual[i].Code);
            Assert.Equal(expected[i].Shape, actual[i].Shape);
            Assert.True(expected[i].Data.AsSpan().SequenceEqual(actual[i].Data), $"the bytes of '{expected[i].Name}' differ");
        }
    }

    private static Hash256 Digest(InferRequest request) =>
        TensorSetDigest.Of(request.Inputs.Select(input => (input.Name, Header(input.Name, input.Code, input.Shape, input.Data.Length), input.Data)));

    private static byte[] Header(string name, byte code, long[] shape, int length) => TensorSetDigest.Header(name, code, shape, length);

    private static bool IsWhole(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (!char.IsHighSurrogate(text[i]) || i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1])) return false;
            i++;
        }

        return true;
    }

    private static string Shown(SampleBody body) =>
        string.Create(CultureInfo.InvariantCulture, $"JSON of {body.JsonLength} in {body.Bytes.Length} bytes, base64 {Convert.ToBase64String(body.Bytes.AsSpan(0, Math.Min(body.Bytes.Length, 4000)))}");
}
