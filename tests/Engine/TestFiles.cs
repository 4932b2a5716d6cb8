using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.Engine.Tests;

/// <summary>Files of the repository, found from the test's own folder.</summary>
internal static class TestFiles
{
    public static string Root { get; } = FindRoot();

    public static OnnxRuntimeLibrary Library => OnnxRuntimeLibrary.Load();

    public static string Model(string name) => name switch
    {
        "digits" or "encoder" => Path.Combine(Root, "models", name, "model.onnx"),
        _ => Path.Combine(Root, "models", "tests", name + ".onnx"),
    };

    public static string Vector(string name) => Path.Combine(Root, "tests", "Engine", "Vectors", name);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "OpenGradient.Engine.sln"))) return folder.FullName;
        throw new InvalidOperationException("the repository's root was not found");
    }
}

/// <summary>A folder of its own per test, removed at the end.</summary>
internal sealed class TempFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("og-engine-");

    public string Path => _folder.FullName;

    public string Write(string name, ReadOnlySpan<byte> bytes)
    {
        var path = System.IO.Path.Combine(Path, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
