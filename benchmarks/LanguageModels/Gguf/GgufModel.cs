namespace OpenGradient.Engine.Benchmarks.LanguageModels.Gguf;

/// <summary>A model with random weights for llama.cpp, of the shape of a model folder. No tokenizer: it is fed token ids.</summary>
internal static class GgufModel
{
    /// <summary>The file, made if it is not there.</summary>
    public static string Ensure(ModelShape shape, Precision precision, string folder)
    {
        var type = precision switch { Precision.Int4 => GgmlType.Q4, Precision.Int8 => GgmlType.Q8, _ => GgmlType.Bf16 };
        var path = Path.Combine(folder, $"{precision.ToString().ToLowerInvariant()}.gguf");
        if (File.Exists(path)) return path;
        BenchContext.Note($"making {path}");
        using (var writer = Build(shape, type)) writer.Save(path + ".part");
        // Renamed when it is whole, so that an interrupted run leaves none.
        File.Move(path + ".part", path);
        return path;
    }

    private static GgufWriter Build(ModelShape shape, GgmlType type)
    {
        var architecture = shape.Architecture;
        var writer = new GgufWriter()
            .Text("general.architecture", architecture).Text("general.name", shape.Name)
            .Number($"{architecture}.context_length", (uint)shape.Context).Number($"{architecture}.embedding_length", (uint)shape.Hidden)
            .Number($"{architecture}.block_count", (uint)shape.Layers).Number($"{architecture}.feed_forward_length", (uint)shape.Intermediate)
            .Number($"{architecture}.attention.head_count", (uint)shape.Heads).Number($"{architecture}.attention.head_count_kv", (uint)shape.KeyValueHeads)
            .Number($"{architecture}.attention.key_length", (uint)shape.HeadSize).Number($"{architecture}.attention.value_length", (uint)shape.HeadSize)
            .Number($"{architecture}.rope.dimension_count", (uint)shape.HeadSize).Number($"{architecture}.rope.freq_base", shape.RopeBase)
            .Number($"{architecture}.attention.layer_norm_rms_epsilon", shape.Epsilon).Number($"{architecture}.vocab_size", (uint)shape.Vocabulary)
            .Text("tokenizer.ggml.model", "none");
        var random = new Random(1);
        Matrix("token_embd", shape.Hidden, shape.Vocabulary, 0.5);
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            var name = $"blk.{layer}";
            Norm($"{name}.attn_norm");
            Matrix($"{name}.attn_q", shape.Hidden, shape.Heads * shape.HeadSize);
            Matrix($"{name}.attn_k", shape.Hidden, shape.KeyValueHeads * shape.HeadSize);
            Matrix($"{name}.attn_v", shape.Hidden, shape.KeyValueHeads * shape.HeadSize);
            if (shape.HasBiases)
            {
                Bias($"{name}.attn_q", shape.Heads * shape.HeadSize);
                Bias($"{name}.attn_k", shape.KeyValueHeads * shape.HeadSize);
                Bias($"{name}.attn_v", shape.KeyValueHeads * shape.HeadSize);
            }

            Matrix($"{name}.attn_output", shape.Heads * shape.HeadSize, shape.Hidden);
            Norm($"{name}.ffn_norm");
            Matrix($"{name}.ffn_gate", shape.Hidden, shape.Intermediate);
            Matrix($"{name}.ffn_up", shape.Hidden, shape.Intermediate);
            Matrix($"{name}.ffn_down", shape.Intermediate, shape.Hidden);
        }

        Norm("output_norm");
        if (!shape.IsTied) Matrix("output", shape.Hidden, shape.Vocabulary);
        return writer;

        void Matrix(string name, int inputs, int outputs, double? spread = null) => writer.Tensor(
            name + ".weight", [inputs, outputs], type, stream => GgufBlocks.Write(stream, type, (long)inputs * outputs, spread ?? (1 / Math.Sqrt(inputs)), random));

        void Norm(string name) => writer.Tensor(name + ".weight", [shape.Hidden], GgmlType.F32, stream => GgufBlocks.WriteOnes(stream, shape.Hidden));

        void Bias(string name, int outputs) => writer.Tensor(name + ".bias", [outputs], GgmlType.F32, stream => GgufBlocks.Write(stream, GgmlType.F32, outputs, 0.1, random));
    }
}
