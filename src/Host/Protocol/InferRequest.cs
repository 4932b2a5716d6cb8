using System.Text.Json;

namespace OpenGradient.Engine.Host.Protocol;

/// <summary>One tensor as it came over the wire, decoded.</summary>
/// <param name="Code">ONNX element code.</param>
/// <param name="Data">Little-endian elements.</param>
public sealed record WireTensor(string Name, byte Code, long[] Shape, ReadOnlyMemory<byte> Data);

/// <summary>What a request is refused with: its message names what was wrong and goes to the caller as it is.</summary>
public sealed class BadRequestException(string message) : Exception(message);

/// <summary>An inference request of the Open Inference Protocol (KServe v2 REST), with the house's own parameters.</summary>
public sealed class InferRequest
{
    private static readonly string[] Properties = ["id", "inputs", "outputs", "parameters"];
    private static readonly string[] OutputProperties = ["name", "parameters"];
    private static readonly string[] OutputParameters = ["binary_data"];
    private static readonly string[] Parameters = ["og_release", "og_release_timeout_ms", "priority", "timeout", "binary_data_output"];

    // Far beyond what models have; bounds the work that one body can ask for.
    private const int MaxTensors = 256;

    public string? Id { get; private set; }
    public List<WireTensor> Inputs { get; } = [];

    /// <summary>Names of the outputs asked for; empty asks for all.</summary>
    public List<string> Outputs { get; } = [];

    /// <summary>Names of the outputs asked for as binary.</summary>
    public HashSet<string> BinaryOutputs { get; } = [];

    public bool BinaryByDefault { get; private set; }

    /// <summary><c>og_release</c>, or null.</summary>
    public string? Release { get; private set; }

    /// <summary><c>og_release_timeout_ms</c>, or null.</summary>
    public long? ReleaseTimeoutMilliseconds { get; private set; }

    /// <summary><c>priority</c>; normal when absent.</summary>
    public RequestPriority Priority { get; private set; } = RequestPriority.Normal;

    /// <summary><c>timeout</c>, or null.</summary>
    public TimeSpan? Timeout { get; private set; }

    /// <summary>Reads a body: JSON, followed by the tensors' bytes where the binary extension is used.</summary>
    /// <param name="body">The whole body.</param>
    /// <param name="jsonLength">Value of the header <c>Inference-Header-Content-Length</c>, or the body's length.</param>
    /// <exception cref="BadRequestException">The body is not such a request.</exception>
    public static InferRequest Read(ReadOnlyMemory<byte> body, int jsonLength)
    {
        if (jsonLength < 0 || jsonLength > body.Length) throw new BadRequestException("Inference-Header-Content-Length is longer than the body");
        var request = new InferRequest();
        var binary = new BinaryTail(body[jsonLength..]);
        try
        {
            var json = new Utf8JsonReader(body.Span[..jsonLength], new JsonReaderOptions { MaxDepth = 32 });
            request.ReadObject(ref json, binary);
            if (json.Read()) throw new BadRequestException("the request has text after its JSON object");
        }
        catch (JsonException e)
        {
            throw new BadRequestException($"malformed JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine}");
        }
        catch (InvalidOperationException)
        {
            // The reader's only reason here: bytes that are not UTF-8, or an escape that is half a character.
            throw new BadRequestException("malformed JSON: a text is not UTF-8");
        }

        if (request.Inputs.Count == 0) throw new BadRequestException("the request has no 'inputs'");
        binary.End();
        return request;
    }

    private void ReadObject(ref Utf8JsonReader json, BinaryTail binary)
    {
        Expect(ref json, JsonTokenType.StartObject, "the request");
        var seen = new PropertySet(Properties);
        while (NextProperty(ref json, out var name))
        {
            seen.Add(name, "the request");
            switch (name)
            {
                case "id": Id = Text(ref json, "id"); break;
                case "inputs": ReadInputs(ref json, binary); break;
                case "outputs": ReadOutputs(ref json); break;
                default: ReadParameters(ref json); break;
            }
        }
    }

    private void ReadInputs(ref Utf8JsonReader json, BinaryTail binary)
    {
        Expect(ref json, JsonTokenType.StartArray, "'inputs'");
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (Inputs.Count == MaxTensors) throw new BadRequestException($"more than {MaxTensors} inputs");
            Inputs.Add(TensorReader.Read(ref json, Inputs.Count, binary));
        }
    }

    private void ReadOutputs(ref Utf8JsonReader json)
    {
        Expect(ref json, JsonTokenType.StartArray, "'outputs'");
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.StartObject) throw new BadRequestException("an entry of 'outputs' is not an object");
            string? output = null;
            var asBinary = false;
            var seen = new PropertySet(OutputProperties);
            while (NextProperty(ref json, out var name))
            {
                seen.Add(name, "an entry of 'outputs'");
                if (name == "name") output = Text(ref json, "outputs.name");
                else asBinary = ReadOutputParameters(ref json);
            }

            if (output is null) throw new BadRequestException("an entry of 'outputs' has no name");
            // A name repeated a million times would ask for an answer a million times its size.
            if (Outputs.Contains(output)) throw new BadRequestException($"output {Quoted.Text(output)} is asked for twice");
            if (Outputs.Count == MaxTensors) throw new BadRequestException($"more than {MaxTensors} outputs");
            Outputs.Add(output);
            if (asBinary) BinaryOutputs.Add(output);
        }
    }

    private void ReadParameters(ref Utf8JsonReader json)
    {
        Expect(ref json, JsonTokenType.StartObject, "'parameters'");
        var seen = new PropertySet(Parameters, "parameter");
        while (NextProperty(ref json, out var name))
        {
            seen.Add(name, "'parameters'");
            switch (name)
            {
                case "og_release": Release = Text(ref json, name); break;
                case "binary_data_output": BinaryByDefault = Flag(ref json, name); break;
                case "priority": Priority = QueueParameters.ReadPriority(ref json); break;
                case "timeout": Timeout = QueueParameters.ReadTimeout(ref json); break;
                default:
                    if (!json.Read() || json.TokenType != JsonTokenType.Number || !json.TryGetInt64(out var timeout) || timeout < 0)
                        throw new BadRequestException("'og_release_timeout_ms' is not a number of milliseconds");
                    ReleaseTimeoutMilliseconds = timeout;
                    break;
            }
        }
    }

    private static bool ReadOutputParameters(ref Utf8JsonReader json)
    {
        var asBinary = false;
        Expect(ref json, JsonTokenType.StartObject, "'parameters' of an output");
        var seen = new PropertySet(OutputParameters, "parameter");
        while (NextProperty(ref json, out var name))
        {
            seen.Add(name, "'parameters' of an output");
            asBinary = Flag(ref json, name);
        }

        return asBinary;
    }

    private static bool Flag(ref Utf8JsonReader json, string what)
    {
        if (!json.Read() || json.TokenType is not (JsonTokenType.True or JsonTokenType.False)) throw new BadRequestException($"'{what}' is neither true nor false");
        return json.TokenType == JsonTokenType.True;
    }

    internal static void Expect(ref Utf8JsonReader json, JsonTokenType type, string what)
    {
        if (!json.Read() || json.TokenType != type)
            throw new BadRequestException($"{what} is not {(type == JsonTokenType.StartArray ? "an array" : "an object")}");
    }

    internal static bool NextProperty(ref Utf8JsonReader json, out string name)
    {
        name = "";
        if (!json.Read() || json.TokenType != JsonTokenType.PropertyName) return false;
        name = json.GetString()!;
        return true;
    }

    internal static string Text(ref Utf8JsonReader json, string what)
    {
        if (!json.Read() || json.TokenType != JsonTokenType.String) throw new BadRequestException($"'{what}' is not a string");
        return json.GetString()!;
    }
}
