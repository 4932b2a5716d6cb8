using System.Diagnostics;
using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.Engine.Tests.Contract;

/// <summary>The library and the TorchScript twins of the models that tests use.</summary>
public static class TorchFiles
{
    public static TorchLibrary Library => TorchLibrary.Load();

    public static string Folder { get; } = Path.Combine(TestFiles.Root, "models", "torch");

    public static string Model(string name) => name switch
    {
        "digits" => Filled(Path.Combine(Folder, "digits")),
        "encoder" => Path.Combine(Folder, "encoder", "model.pt"),
        _ => Path.Combine(Folder, "tests", name + ".pt"),
    };

    // Not tracked: its weights are the ONNX file's. The set-up makes it, or the first test that wants it; the script renames it into place when it is whole.
    private static string Filled(string folder)
    {
        var model = Path.Combine(folder, "model.pt");
        if (File.Exists(model)) return model;
        using var fill = Process.Start(new ProcessStartInfo("python3", [Path.Combine(Folder, "fill.py"), folder]) { RedirectStandardError = true })!;
        var said = fill.StandardError.ReadToEnd();
        fill.WaitForExit();
        Assert.True(fill.ExitCode == 0, said);
        return model;
    }
}
