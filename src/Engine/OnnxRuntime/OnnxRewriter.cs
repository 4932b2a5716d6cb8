using System.Buffers;
using System.Text;
using OpenGradient.Engine.Backends;

namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>
/// Makes a model of several files fit to be opened from memory. ONNX Runtime takes external files from memory for the main
/// graph's initializers alone, by the last segment of their path; for subgraphs, functions, attributes and sparse tensors it
/// would open files in the process's working directory, which nobody has hashed. So the former are given names of our own,
/// and the bytes of all others are put inside the model. Nothing that it then opens is on disk.
/// </summary>
internal sealed unsafe class OnnxRewriter
{
    // What protobuf holds in one message.
    private const int MaxModelBytes = int.MaxValue;
    private const int LengthDelimited = 2;

    private readonly IReadOnlyList<ArtifactFile> _files;
    private readonly Dictionary<string, int> _index = new(StringComparer.Ordinal);

    public OnnxRewriter(IReadOnlyList<ArtifactFile> files)
    {
        _files = files;
        for (var i = 0; i < files.Count; i++) _index.Add(files[i].Location, i);
    }

    /// <summary>The name by which a rewritten model knows a file.</summary>
    public static string NameOf(int file) => $"og-part-{file}";

    /// <exception cref="OnnxFileException">A tensor's range is not inside its file, or what must go inside is too large for protobuf.</exception>
    public byte[] Rewrite(ReadOnlySpan<byte> model) => Message(model, OnnxMessage.Model, 0) ?? model.ToArray();

    /// <summary>Null when nothing in the message changes.</summary>
    private byte[]? Message(ReadOnlySpan<byte> bytes, OnnxMessage message, int depth)
    {
        OnnxMessages.CheckDepth(depth);
        ArrayBufferWriter<byte>? output = null;
        var copied = 0;
        var reader = new ProtoReader(bytes);
        while (reader.TryRead(out var field))
        {
            // The main graph is the model's own field; initializers of subgraphs are deeper.
            var byReference = depth == 1 && message == OnnxMessage.Graph && field.Number == OnnxMessages.GraphInitializer;
            var child = OnnxMessages.ChildOf(message, field);
            var changed = child switch
            {
                OnnxMessage.Other => null,
                OnnxMessage.Tensor => Tensor(field.Payload, byReference),
                _ => Message(field.Payload, child, depth + 1),
            };
            if (changed is null) continue;
            output ??= new ArrayBufferWriter<byte>();
            Append(output, bytes[copied..field.Start]);
            AppendField(output, field.Number, changed);
            copied = field.End;
        }

        if (output is null) return null;
        Append(output, bytes[copied..]);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Null for a tensor whose bytes are inside already.</summary>
    private byte[]? Tensor(ReadOnlySpan<byte> bytes, bool byReference)
    {
        if (OnnxExternalTensor.Read(bytes) is not { } tensor) return null;
        var file = _index[tensor.Location];
        var memory = _files[file].Memory;
        if (tensor.Offset > memory.Length || tensor.Length > memory.Length - tensor.Offset)
        {
            throw new OnnxFileException(ModelLoadReason.ExternalData,
                $"tensor '{tensor.Name}' is {tensor.Length} bytes at {tensor.Offset} of '{tensor.Location}', which has {memory.Length}");
        }

        var output = new ArrayBufferWriter<byte>();
        var reader = new ProtoReader(bytes);
        while (reader.TryRead(out var field))
        {
            if (field.Number is OnnxExternalTensor.RawDataField or OnnxExternalTensor.ExternalDataField or OnnxExternalTensor.DataLocationField) continue;
            Append(output, bytes[field.Start..field.End]);
        }

        if (byReference)
        {
            AppendEntry(output, "location", NameOf(file));
            AppendEntry(output, "offset", tensor.Offset.ToString());
            AppendEntry(output, "length", tensor.Length.ToString());
            AppendVarint(output, OnnxExternalTensor.DataLocationField << 3);
            AppendVarint(output, OnnxExternalTensor.DataLocationExternal);
        }
        else
        {
            if (tensor.Length > MaxModelBytes) throw TooLarge();
            AppendField(output, OnnxExternalTensor.RawDataField, new ReadOnlySpan<byte>(memory.Pointer + tensor.Offset, (int)tensor.Length));
        }

        return output.WrittenSpan.ToArray();
    }

    private static void AppendEntry(ArrayBufferWriter<byte> output, string key, string value)
    {
        var entry = new ArrayBufferWriter<byte>();
        AppendField(entry, 1, Encoding.UTF8.GetBytes(key));
        AppendField(entry, 2, Encoding.UTF8.GetBytes(value));
        AppendField(output, OnnxExternalTensor.ExternalDataField, entry.WrittenSpan);
    }

    private static void AppendField(ArrayBufferWriter<byte> output, int number, ReadOnlySpan<byte> payload)
    {
        AppendVarint(output, ((uint)number << 3) | LengthDelimited);
        AppendVarint(output, (uint)payload.Length);
        Append(output, payload);
    }

    private static void AppendVarint(ArrayBufferWriter<byte> output, uint value)
    {
        for (; value >= 0x80; value >>= 7) output.Write([(byte)(value | 0x80)]);
        output.Write([(byte)value]);
    }

    private static void Append(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > Array.MaxLength - 64 - output.WrittenCount) throw TooLarge();
        output.Write(bytes);
    }

    private static OnnxFileException TooLarge() => new(ModelLoadReason.Unsupported,
        "data of subgraphs, functions, attributes and sparse tensors in other files is more than the 2 GiB that a model holds inside");
}
