using System.Globalization;
using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Benchmarks.Models;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Benchmarks.Http;

/// <summary>Inference requests of one model as they go over the wire, in JSON and with the protocol's binary tensors.</summary>
internal sealed class HttpRequests
{
    private const int Count = 128;

    public HttpRequests(ModelInfo model, int port, int seed)
    {
        Model = model;
        var rows = new RowSet(model.Inputs, Count, seed);
        Digests = rows.Digests;
        var path = $"/v2/models/{model.Name}/infer";
        Json = [.. rows.Rows.Select(row => HttpConnection.Request("POST", path, port, Encoding.ASCII.GetBytes(Body(row, binary: false))))];
        Binary = [.. rows.Rows.Select(row =>
        {
            var json = Encoding.ASCII.GetBytes(Body(row, binary: true));
            return HttpConnection.Request("POST", path, port, [.. json, .. row.SelectMany(bytes => bytes)], json.Length);
        })];
        BinaryBodyBytes = Body(rows.Rows[0], binary: true).Length + rows.Rows[0].Sum(bytes => bytes.Length);
    }

    public ModelInfo Model { get; }

    public byte[][] Json { get; }

    public byte[][] Binary { get; }

    public int BinaryBodyBytes { get; }

    public Hash256[] Digests { get; }

    private string Body(byte[][] row, bool binary)
    {
        var text = new StringBuilder("{\"inputs\":[");
        for (var i = 0; i < row.Length; i++)
        {
            var spec = Model.Inputs[i];
            if (spec.Type != ElementType.Float32) throw new InvalidOperationException($"input '{spec.Name}': only float32 is sent over HTTP here");
            text.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? "" : ",")}{{\"name\":\"{spec.Name}\",\"datatype\":\"FP32\",\"shape\":[{string.Join(',', RowSet.Shape(spec, 1))}],");
            if (binary) text.Append(CultureInfo.InvariantCulture, $"\"parameters\":{{\"binary_data_size\":{row[i].Length}}}}}");
            else text.Append("\"data\":").Append(JsonSerializer.Serialize(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(row[i]).ToArray())).Append('}');
        }

        return text.Append(binary ? "],\"parameters\":{\"binary_data_output\":true}}" : "]}").ToString();
    }
}
