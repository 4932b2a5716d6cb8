using System.Text;
using System.Text.Json.Nodes;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.LanguageModels.OnnxRuntime;

namespace OpenGradient.Engine.LanguageModels.Tests.OnnxRuntime;

/// <summary>A copy of one of the repository's small models, to be changed; removed at the end.</summary>
internal sealed class GenAiTestFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("og-genai-");

    public GenAiTestFolder(string model)
    {
        foreach (var file in Directory.GetFiles(ModelPath(model))) File.Copy(file, System.IO.Path.Combine(Path, System.IO.Path.GetFileName(file)));
    }

    public string Path => _folder.FullName;

    public static LanguageModelLoadOptions Options { get; } = new() { CacheBytes = 1 << 20, MaxSequences = 9, Threads = 2 };

    public static string ModelPath(string model) => System.IO.Path.Combine(Root(), "models", "tests", model);

    public GenAiRuntime Open(LanguageModelLoadOptions? options = null) => GenAiRuntime.Open(Path, options ?? Options, CancellationToken.None);

    public string PathOf(string name) => System.IO.Path.Combine(Path, name);

    public void Write(string name, string text) => File.WriteAllText(PathOf(name), text);

    public void EditConfig(Action<JsonNode> edit)
    {
        var config = JsonNode.Parse(File.ReadAllText(PathOf(Config)))!;
        edit(config["model"]!);
        Write(Config, config.ToJsonString());
    }

    /// <summary>Products in the activations' own precision instead of int8: one row has then another kernel than several.</summary>
    public void ComputeInFloat()
    {
        // AttributeProto: the name, then field 3 (the integer) as a varint.
        var from = Encoding.ASCII.GetBytes("accuracy_level\x18\x04");
        var bytes = File.ReadAllBytes(PathOf("model.onnx"));
        var count = 0;
        for (int at; (at = bytes.AsSpan().IndexOf(from)) >= 0; count++) bytes[at + from.Length - 1] = 0;
        Assert.NotEqual(0, count);
        File.WriteAllBytes(PathOf("model.onnx"), bytes);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    public const string Config = "genai_config.json";

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "OpenGradient.Engine.sln"))) return folder.FullName;
        throw new InvalidOperationException("the repository's root was not found");
    }
}
