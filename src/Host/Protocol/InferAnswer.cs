using System.Buffers;
using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Host.Protocol;

/// <summary>An answer of the Open Inference Protocol, rendered once: JSON, followed by the outputs that were asked for as binary.</summary>
/// <param name="Body">The whole body.</param>
/// <param name="JsonLength">Length of the JSON part; equal to the body's where nothing is binary.</param>
public sealed record InferAnswer(ReadOnlyMemory<byte> Body, int JsonLength, ReceiptId? ReceiptId)
{
    public bool HasBinary => JsonLength != Body.Length;

    /// <exception cref="BadRequestException">The request names an output that the model does not have.</exception>
    public static InferAnswer Render(InferRequest request, in InferenceResult result)
    {
        var chosen = Chosen(request, result);
        var buffer = new ArrayBufferWriter<byte>(1024);
        ReceiptId? id = null;
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("model_name", result.Model.Name);
            json.WriteString("model_version", result.Model.Version);
            if (request.Id is not null) json.WriteString("id", request.Id);
            json.WriteStartArray("outputs");
            foreach (var output in chosen) WriteOutput(json, request, result, output);
            json.WriteEndArray();
            if (result.Batch is { } batch)
            {
                id = batch.ReceiptId(result.RowIndex);
                json.WriteStartObject("parameters");
                json.WriteString("og_receipt_id", id.Value.ToString());
                json.WriteBase64String("og_receipt", batch.Receipt(result.RowIndex).Encode());
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        var jsonLength = buffer.WrittenCount;
        foreach (var output in chosen)
            if (IsBinary(request, result.Outputs[output].Name)) buffer.Write(result.Bytes(output));
        return new InferAnswer(buffer.WrittenMemory, jsonLength, id);
    }

    /// <summary>Checks the names of the outputs asked for before anything is executed for them.</summary>
    /// <exception cref="BadRequestException">The request names an output that the model does not have.</exception>
    public static void CheckOutputs(InferRequest request, ModelInfo model)
    {
        foreach (var name in request.Outputs)
            if (model.Outputs.All(spec => spec.Name != name)) throw new BadRequestException($"model '{model.Name}' has no output {Quoted.Text(name)}");
    }

    private static int[] Chosen(InferRequest request, InferenceResult result)
    {
        if (request.Outputs.Count == 0) return [.. Enumerable.Range(0, result.Outputs.Count)];
        return [.. request.Outputs.Select(name => result.IndexOf(name) is >= 0 and var index ? index : throw new BadRequestException($"model '{result.Model.Name}' has no output {Quoted.Text(name)}"))];
    }

    private static bool IsBinary(InferRequest request, string output) => request.BinaryByDefault || request.BinaryOutputs.Contains(output);

    private static void WriteOutput(Utf8JsonWriter json, InferRequest request, in InferenceResult result, int output)
    {
        var spec = result.Outputs[output];
        var code = (byte)spec.Type;
        var bytes = result.Bytes(output);
        json.WriteStartObject();
        json.WriteString("name", spec.Name);
        json.WriteString("datatype", DataType.NameOf(code));
        json.WriteStartArray("shape");
        foreach (var dimension in result.Shape(output)) json.WriteNumberValue(dimension);
        json.WriteEndArray();
        if (IsBinary(request, spec.Name))
        {
            json.WriteStartObject("parameters");
            json.WriteNumber("binary_data_size", bytes.Length);
            json.WriteEndObject();
        }
        else
        {
            var size = ElementTypes.SizeOf(spec.Type);
            json.WriteStartArray("data");
            for (var at = 0; at < bytes.Length; at += size) DataType.WriteElement(json, code, bytes.Slice(at, size));
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }
}
