using System.Security.Cryptography;
using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.Engine.Tests;

public sealed class LibraryTests
{
    [Fact]
    public void Load_Library_SaysWhichOneAnswered()
    {
        var info = TestFiles.Library.Info;
        Assert.True(Version.Parse(info.Version) >= new Version(1, 22), info.Version);
        Assert.Contains("CPUExecutionProvider", info.Providers);
        Assert.Equal(SHA256.HashData(File.ReadAllBytes(info.Path)), info.Sha256.ToArray());
        Assert.Matches("^(x86-64|arm64|portable)", info.InstructionSet);
    }

    [Fact]
    public void Load_Twice_GivesTheSameLibrary() => Assert.Same(TestFiles.Library, OnnxRuntimeLibrary.Load());

    [Fact]
    public void Load_MissingFile_NamesThePath()
    {
        var error = Assert.Throws<OnnxRuntimeException>(() => OnnxRuntimeLibrary.Load("/nowhere/libonnxruntime.so.1"));
        Assert.Contains("'/nowhere/libonnxruntime.so.1' does not exist", error.Message);
    }

    [Fact]
    public void Load_NotALibrary_NamesThePath()
    {
        using var folder = new TempFolder();
        var path = folder.Write("libonnxruntime.so.1", "not an ELF file"u8);
        var error = Assert.Throws<OnnxRuntimeException>(() => OnnxRuntimeLibrary.Load(path));
        Assert.Contains(path, error.Message);
        Assert.Contains("cannot be loaded", error.Message);
    }

    [Fact]
    public void Load_AnotherLibrary_SaysThatItIsNotOnnxRuntime()
    {
        // A shared library that every .NET installation has.
        var path = Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "libSystem.Native.so");
        var error = Assert.Throws<OnnxRuntimeException>(() => OnnxRuntimeLibrary.Load(path));
        Assert.Contains("is not ONNX Runtime", error.Message);
        Assert.Contains(path, error.Message);
    }

    [Fact]
    public void Locate_ExplicitPath_IsFinal() => Assert.Equal("/nowhere/lib.so", OnnxRuntimeLocator.Locate("/nowhere/lib.so"));

    [Fact]
    public void Locate_Candidates_ComeInTheDocumentedOrder()
    {
        var candidates = OnnxRuntimeLocator.Candidates().ToArray();
        Assert.Equal(Path.Combine(AppContext.BaseDirectory, "libonnxruntime.so.1"), candidates[0]);
        Assert.Contains(Path.Combine("runtimes", "linux-x64", "native"), candidates[2]);
        Assert.All(candidates[4..], candidate => Assert.Contains("node_modules", candidate));
    }
}
