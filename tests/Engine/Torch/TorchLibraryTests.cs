using System.Security.Cryptography;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Engine.Tests.Contract;
using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.Engine.Tests.Torch;

public sealed class TorchLibraryTests
{
    [TorchFact]
    public void Load_Library_SaysWhichOneAnswered()
    {
        var info = TorchFiles.Library.Info;
        Assert.Matches(@"^\d+\.\d+\.\d+", info.LibTorch);
        Assert.NotEmpty(info.Version);
        Assert.NotEmpty(info.Kernels);
        Assert.NotEmpty(info.Blas);
        foreach (var setting in (string[])["fuser=off", "profiling=off", "tf32=off", "reduced=off", "deterministic=on"]) Assert.Contains(setting, info.Numerics.Split(','));
        Assert.Contains(info.Files, file => file.Name == "libog_torch.so");
        Assert.Contains(info.Files, file => file.Name == "libtorch_cpu.so");
        Assert.Equal(info.Files.OrderBy(file => file.Name, StringComparer.Ordinal), info.Files);
        var shim = info.Files.Single(file => file.Name == "libog_torch.so");
        Assert.Equal(SHA256.HashData(File.ReadAllBytes(shim.Path)), shim.Digest.ToArray());
        var cpu = Assert.Single(TorchFiles.Library.Devices(ExecutionDevice.Cpu, out _));
        Assert.True(cpu.Multiprocessors >= 1);
    }

    [TorchFact]
    public void Load_Twice_GivesTheSameLibrary() => Assert.Same(TorchFiles.Library, TorchLibrary.Load(settings: new TorchSettings()));

    [TorchFact]
    public void Load_OtherSettingsThanTheFirst_IsRefused()
    {
        var held = TorchFiles.Library;
        var error = Assert.Throws<TorchException>(() => TorchLibrary.Load(settings: new TorchSettings { AllowTf32 = true }));
        Assert.Contains("for the whole process", error.Message);
        Assert.False(held.Settings.AllowTf32);
    }

    [TorchFact]
    public void Devices_WithoutGpu_SayWhy()
    {
        var gpus = TorchFiles.Library.Devices(ExecutionDevice.Cuda, out var reason);
        Assert.True(gpus.Count > 0 || reason.Length > 0, "neither a GPU nor a reason");
    }

    [TorchFact]
    public void Memory_OfTheCpu_IsTheProcesss()
    {
        var memory = TorchFiles.Library.Memory(ExecutionDevice.Cpu, 0);
        Assert.InRange(memory.Resident, 1ul << 20, 1ul << 45);
        Assert.Equal(0ul, memory.Allocated);
        Assert.Contains("DeviceMissing", Assert.Throws<TorchException>(() => TorchFiles.Library.Memory(ExecutionDevice.Cuda, 63)).Message);
    }

    [Fact]
    public void Load_MissingFile_NamesThePathAndTheWayOut()
    {
        var error = Assert.Throws<TorchException>(() => TorchLibrary.Load("/nowhere/libog_torch.so"));
        Assert.Contains("/nowhere/libog_torch.so", error.Message);
        Assert.Contains("OG_TORCH_LIBRARY", error.Message);
    }

    [Fact]
    public void Load_NotALibrary_NamesThePathAndTheLinkersWords()
    {
        using var folder = new TempFolder();
        var path = folder.Write("libog_torch.so", "not an ELF file"u8);
        var error = Assert.Throws<TorchException>(() => TorchLibrary.Load(path));
        Assert.Contains($"'{path}' cannot be used: it could not be loaded", error.Message);
    }

    [Fact]
    public void Load_AnotherLibrary_SaysWhatItLacks()
    {
        // A shared library that every .NET installation has.
        var path = Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "libSystem.Native.so");
        var error = Assert.Throws<TorchException>(() => TorchLibrary.Load(path));
        Assert.Contains("does not export ogt_abi_version", error.Message);
    }

    [Fact]
    public void Candidates_ExplicitPath_IsFinal() => Assert.Equal(["/nowhere/lib.so"], TorchLibraryLocator.Candidates("/nowhere/lib.so"));

    [Fact]
    public void Candidates_WithoutPath_BeginBesideTheApplication()
    {
        if (Environment.GetEnvironmentVariable(TorchLibraryLocator.EnvironmentVariable) is { Length: > 0 }) return;
        var candidates = TorchLibraryLocator.Candidates(null);
        Assert.Equal(Path.Combine(AppContext.BaseDirectory, "libog_torch.so"), candidates[0]);
        Assert.Contains(Path.Combine(TestFiles.Root, "build", "release", "native", "libog_torch.so"), candidates);
    }
}
