using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace OpenGradient.Engine.Architecture.Tests;

/// <summary>Formats is bytes and their pure checks: read from the compiled assembly's metadata, so that no spelling escapes.</summary>
public sealed class FormatsPurityTests
{
    // A namespace stands for all below it.
    private static readonly string[] Forbidden =
    [
        "System.IO", "System.Net", "System.Threading", "System.Console", "System.Environment", "System.AppContext", "System.Random", "System.Guid",
        "System.DateTime", "System.TimeProvider", "System.Diagnostics.Process", "System.Diagnostics.Stopwatch",
        "System.Security.Cryptography.RandomNumberGenerator", "System.Reflection.Assembly", "System.Reflection.MethodInfo",
        "System.Runtime.InteropServices.NativeLibrary", "System.Runtime.InteropServices.Marshal", "Microsoft",
    ];

    private static readonly Assembly Subject = typeof(Formats.Hash256).Assembly;

    [Fact]
    public void Formats_ReferencedAssemblies_AreTheBcl() =>
        Assert.All(Subject.GetReferencedAssemblies(), reference => Assert.StartsWith("System.", reference.Name));

    [Fact]
    public void Formats_ReferencedTypes_DoNoInputOutputClocksThreadsOrRandomness()
    {
        var used = Read(reader => reader.TypeReferences
            .Select(reader.GetTypeReference)
            .Select(type => $"{reader.GetString(type.Namespace)}.{reader.GetString(type.Name)}").ToArray());
        Assert.Contains("System.Security.Cryptography.SHA256", used);
        Assert.DoesNotContain(used, type => Forbidden.Any(name => type == name || type.StartsWith(name + ".", StringComparison.Ordinal)));
    }

    // A moment may be an argument; the moment it is now may not be asked for.
    [Fact]
    public void Formats_Members_AskNoClock()
    {
        var used = Read(reader => reader.MemberReferences
            .Select(reader.GetMemberReference)
            .Where(member => member.Parent.Kind == HandleKind.TypeReference)
            .Select(member => $"{reader.GetString(reader.GetTypeReference((TypeReferenceHandle)member.Parent).Name)}.{reader.GetString(member.Name)}").ToArray());
        Assert.Contains("SHA256.HashData", used);
        Assert.DoesNotContain(used, member => member is "DateTimeOffset.get_UtcNow" or "DateTimeOffset.get_Now");
    }

    [Fact]
    public void Formats_Methods_ImportNothingNative()
    {
        var imported = Read(reader => reader.MethodDefinitions
            .Select(reader.GetMethodDefinition)
            .Where(method => (method.Attributes & MethodAttributes.PinvokeImpl) != 0)
            .Select(method => reader.GetString(method.Name)).ToArray());
        Assert.Empty(imported);
        Assert.Equal(0, Read(reader => reader.GetTableRowCount(TableIndex.ModuleRef)));
    }

    private static T Read<T>(Func<MetadataReader, T> question)
    {
        using var file = new PEReader(File.OpenRead(Subject.Location));
        return question(file.GetMetadataReader());
    }
}
